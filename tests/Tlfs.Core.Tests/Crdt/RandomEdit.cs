using System.Globalization;
using CloudPeer.TestKit;
using Tlfs.Core.Crdt;

namespace Tlfs.Core.Tests.Crdt;

/// <summary>Edits that somebody might make to a document of the schema "everything"; those that do not fit what is there are refused.</summary>
internal static class RandomEdit
{
    public static void Apply(Transaction edit, SeededEntropy entropy)
    {
        string Number(int limit) => entropy.Below(limit).ToString(CultureInfo.InvariantCulture);
        string Text() => "\"" + (char)('a' + entropy.Below(26)) + "\"";
        string Key() => $".byI64[{entropy.Below(3) - 1}]";
        string Array() => entropy.Below(3) switch { 0 => Key() + ".tags", 1 => ".matrix", _ => $".matrix[{Number(2)}]" };
        string Element(string array) => array.EndsWith("tags", StringComparison.Ordinal) ? Text() : array is ".matrix" ? $"[{Number(9)}]" : Number(9);
        void Set(string path, string value) => edit.Set(path, Tlfs.Core.Crdt.Json.Parse(value));
        var array = Array();
        switch (entropy.Below(16))
        {
            case 0: Set(".text", Text()); break;
            case 1: Set(".flag", entropy.Below(2) == 0 ? "true" : "false"); break;
            case 2: Set(".inner", $"{{\"text\":{Text()},\"flags\":{{{Text()}:true}}}}"); break;
            case 3: Set($".inner.flags[{Text()}]", entropy.Below(2) == 0 ? "true" : "false"); break;
            case 4: Set(Key() + ".name", Text()); break;
            case 5: edit.Remove(Key()); break;
            case 6: Set(Key(), $"{{\"tags\":[{Text()},{Text()}]}}"); break;
            case 7 or 8 or 9: edit.Insert(array, entropy.Below(4), Tlfs.Core.Crdt.Json.Parse(Element(array))); break;
            case 10 or 11: edit.Move(array, entropy.Below(4), entropy.Below(4)); break;
            case 12: edit.Remove($"{array}[{Number(4)}]"); break;
            case 13: Set($"{array}[{Number(4)}]", Element(array)); break;
            case 14: Set($".byBool[{(entropy.Below(2) == 0 ? "true" : "false")}]", Number(5)); break;
            default: Set(".keys", $"{{\"{Number(3)}\":null}}"); break;
        }
    }

    /// <summary>What all replicas hold before they part: without it, they would seldom move or remove the same thing.</summary>
    public static Delta Begin(IReadOnlyList<Replica> replicas)
    {
        var delta = replicas[0].Set(".", "{\"matrix\":[[1],[2,3],[]],\"byI64\":{\"0\":{\"tags\":[\"a\",\"b\",\"c\"]},\"1\":{}},\"flag\":true,\"text\":\"t\"}");
        foreach (var replica in replicas) replica.Receive(delta);
        return delta;
    }

    /// <summary>One to three edits in a transaction, skipping what is refused; null if nothing is left.</summary>
    public static Delta? Make(Replica replica, SeededEntropy entropy)
    {
        try
        {
            return replica.Edit(edit =>
            {
                for (var left = 1 + entropy.Below(3); left > 0; left--) TryApply(edit, entropy);
            });
        }
        catch (TlfsException refused) when (refused.Reason == Reason.NothingToDo)
        {
            return null;
        }
    }

    /// <summary>One edit, unless what it names is not there.</summary>
    public static void TryApply(Transaction edit, SeededEntropy entropy)
    {
        try
        {
            Apply(edit, entropy);
        }
        catch (TlfsException refused) when (refused.Reason is Reason.NotPresent or Reason.IndexOutOfRange)
        {
            // Not there in this document.
        }
    }
}
