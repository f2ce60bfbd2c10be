using System.Globalization;
using CloudPeer.TestKit;
using Tlfs.Core.Crdt;
using Tlfs.Core.Lenses;
using Tlfs.Core.Tests.Crdt;

namespace Tlfs.Core.Tests.Lenses;

/// <summary>Edits that fit any schema version: a random walk down its view, then a random edit of what is there.</summary>
internal static class AnyEdit
{
    /// <summary>One to three edits in a transaction; null if they change nothing.</summary>
    public static Delta? Make(Replica replica, SeededEntropy entropy, bool leavesOnly = false)
    {
        try
        {
            return replica.Edit(edit =>
            {
                for (var left = 1 + entropy.Below(3); left > 0; left--) Try(() => Apply(edit, replica, entropy, leavesOnly));
            });
        }
        catch (TlfsException refused) when (refused.Reason == Reason.NothingToDo)
        {
            return null;
        }
    }

    /// <summary>A random value of a place, as JSON.</summary>
    public static string Value(ViewNode node, SeededEntropy entropy) => node.Kind.Code switch
    {
        KindCode.Null => "null",
        KindCode.EWFlag => entropy.Below(2) == 0 ? "true" : "false",
        KindCode.MVReg => entropy.Below(6) == 0 ? "null" : Primitive(node.Kind.Primitive, entropy),
        KindCode.Struct => "{" + string.Join(",", node.Fields.Where(_ => entropy.Below(3) > 0).Select(field => $"\"{field.Key}\":{Value(field.Value, entropy)}")) + "}",
        KindCode.Array => "[" + string.Join(",", Enumerable.Range(0, entropy.Below(3)).Select(_ => Value(node.Element!, entropy))) + "]",
        KindCode.Table => "{" + string.Join(",", Enumerable.Range(0, entropy.Below(3)).Select(_ => Key(node.Kind.Primitive, entropy)).Distinct(StringComparer.Ordinal)
            .Select(key => $"\"{key}\":{Value(node.Element!, entropy)}")) + "}",
    };

    /// <summary>A key between the brackets of a path.</summary>
    public static string Bracket(Primitive primitive, string key) => primitive is Core.Lenses.Primitive.String or Core.Lenses.Primitive.Bytes ? $"[\"{key}\"]" : $"[{key}]";

    private static void Apply(Transaction edit, Replica replica, SeededEntropy entropy, bool leavesOnly)
    {
        var (node, path) = Walk(replica, entropy);
        if (node.Kind.Code == KindCode.Array && !leavesOnly && entropy.Below(4) > 0)
        {
            var count = Count(replica, path);
            if (entropy.Below(3) == 0) edit.Move(path, entropy.Below(count + 1), entropy.Below(count + 1));
            else edit.Insert(path, entropy.Below(count + 1), Json.Parse(Value(node.Element!, entropy)));
        }
        else if (!leavesOnly && path.Length > 1 && entropy.Below(5) == 0)
        {
            edit.Remove(path);
        }
        else if (!leavesOnly || !node.Kind.IsContainer)
        {
            edit.Set(path, Json.Parse(Value(node, entropy)));
        }
    }

    private static (ViewNode Node, string Path) Walk(Replica replica, SeededEntropy entropy)
    {
        var (node, path) = (replica.List.View.Root, "");
        while (node.Kind.IsContainer && entropy.Below(6) > 0)
        {
            if (node.Kind.Code == KindCode.Struct)
            {
                if (node.Fields.Count == 0) break;
                var (name, field) = node.Fields.ElementAt(entropy.Below(node.Fields.Count));
                (node, path) = (field, $"{path}.{name}");
                continue;
            }

            if (node.Kind.Code == KindCode.Array && (Count(replica, path.Length == 0 ? "." : path) is var count && count == 0)) break;
            var key = node.Kind.Code == KindCode.Table
                ? Bracket(node.Kind.Primitive, Key(node.Kind.Primitive, entropy))
                : $"[{entropy.Below(Count(replica, path.Length == 0 ? "." : path)).ToString(CultureInfo.InvariantCulture)}]";
            (node, path) = (node.Element!, (path.Length == 0 ? "." : path) + key);
        }

        return (node, path.Length == 0 ? "." : path);
    }

    private static int Count(Replica replica, string path)
    {
        try
        {
            return Json.Parse(replica.Show(path)).GetArrayLength();
        }
        catch (TlfsException refused) when (refused.Reason == Reason.NotPresent)
        {
            return 0;
        }
    }

    private static string Key(Primitive primitive, SeededEntropy entropy) => primitive switch
    {
        Core.Lenses.Primitive.Bool => entropy.Below(2) == 0 ? "true" : "false",
        Core.Lenses.Primitive.Bytes => entropy.Below(2) == 0 ? "AA==" : "/w==",
        Core.Lenses.Primitive.I64 => (entropy.Below(3) - 1).ToString(CultureInfo.InvariantCulture),
        Core.Lenses.Primitive.U64 => entropy.Below(2).ToString(CultureInfo.InvariantCulture),
        Core.Lenses.Primitive.String => entropy.Below(2) == 0 ? "k" : "",
        Core.Lenses.Primitive.F64 => throw new InvalidOperationException("f64 is not a table key"),
    };

    private static string Primitive(Primitive primitive, SeededEntropy entropy) => primitive switch
    {
        Core.Lenses.Primitive.Bool => entropy.Below(2) == 0 ? "true" : "false",
        Core.Lenses.Primitive.Bytes => "\"AAE=\"",
        Core.Lenses.Primitive.I64 => (entropy.Below(9) - 4).ToString(CultureInfo.InvariantCulture),
        Core.Lenses.Primitive.U64 => entropy.Below(9).ToString(CultureInfo.InvariantCulture),
        Core.Lenses.Primitive.F64 => entropy.Below(9).ToString(CultureInfo.InvariantCulture) + ".5",
        Core.Lenses.Primitive.String => $"\"{(char)('a' + entropy.Below(26))}\"",
    };

    private static void Try(Action edit)
    {
        try
        {
            edit();
        }
        catch (TlfsException refused) when (refused.Reason is Reason.NotPresent or Reason.IndexOutOfRange or Reason.TooLarge)
        {
            // Not there in this document, or deeper than a document may be.
        }
    }
}
