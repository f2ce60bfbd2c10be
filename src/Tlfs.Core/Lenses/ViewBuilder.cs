using Tlfs.Core.Ids;

namespace Tlfs.Core.Lenses;

/// <summary>
/// Applies lenses to a view, one after the other (docs/protocol/operations.md §2.1). A lens that does not apply changes nothing and is answered with the
/// reason. No view is deeper than <see cref="Limits.PathSegments"/>, nor any of its storage paths, whatever was plunged into what.
/// </summary>
internal sealed class ViewBuilder
{
    private const string TooDeep = "paths are limited to 32 segments";

    public ViewNode Root { get; } = new(null, []);

    /// <summary>Applies one lens; a field that it adds gets the id. Null, or why it does not apply.</summary>
    public string? Apply(Lens lens, FieldId id)
    {
        var node = Root;
        var depth = 0;
        for (; ; depth++)
        {
            var (inner, next) = lens switch
            {
                LensIn within => (within.Inner, node.Field(within.Name)),
                LensMap map => (map.Inner, node.Kind.Code == KindCode.Array ? node.Element : null),
                LensMapValue map => (map.Inner, node.Kind.Code == KindCode.Table ? node.Element : null),
                _ => (null, node),
            };
            if (inner is null) return Apply(node, lens, id, depth);
            if (next is null) return "there is nothing at its path";
            (lens, node) = (inner, next);
        }
    }

    /// <summary>The innermost lens, which does the work.</summary>
    public static Lens Innermost(Lens lens) => lens switch
    {
        LensIn within => Innermost(within.Inner),
        LensMap map => Innermost(map.Inner),
        LensMapValue map => Innermost(map.Inner),
        _ => lens,
    };

    private static string? Apply(ViewNode node, Lens lens, FieldId id, int depth) => lens switch
    {
        Make make => Make(node, make.Kind, depth),
        Destroy destroy => Destroy(node, destroy.Kind),
        _ when node.Kind.Code != KindCode.Struct => "a Struct is needed",
        AddProperty add => Add(node, add.Name, id, depth),
        RemoveProperty remove => node.Take(remove.Name) is null ? NoField : null,
        RenameProperty rename => Move(node, rename.From, node, rename.To),
        HoistProperty hoist => Hoist(node, hoist.Host, hoist.Target),
        PlungeProperty plunge => Plunge(node, plunge.Host, plunge.Target, depth),
        _ => throw new InvalidOperationException("not an innermost lens"),
    };

    private const string NoField = "there is no such field";

    private static string? Make(ViewNode node, Kind kind, int depth)
    {
        if (kind == Kind.Null) return "a kind other than Null is needed";
        if (node.Kind != Kind.Null) return "it has a kind already";
        var hasElement = kind.Code is KindCode.Table or KindCode.Array;
        if (hasElement && Math.Max(node.StorageDepth, depth) >= Limits.PathSegments) return TooDeep;
        node.Kind = kind;
        if (hasElement) node.Element = new(node, []);
        return null;
    }

    private static string? Destroy(ViewNode node, Kind kind)
    {
        if (kind == Kind.Null || node.Kind != kind) return "it is of another kind";
        if (node.Fields.Count > 0 || (node.Element is { } element && element.Kind != Kind.Null)) return "it is not empty";
        node.Kind = Kind.Null;
        node.Element = null;
        return null;
    }

    private static string? Add(ViewNode node, string name, FieldId id, int depth)
    {
        if (Math.Max(node.StorageDepth, depth) >= Limits.PathSegments) return TooDeep;
        return node.TryAdd(name, new(node.Container, [.. node.Chain, id])) ? null : "there is such a field already";
    }

    private static string? Hoist(ViewNode node, string host, string target)
    {
        if (node.Field(host) is not { } from || from.Kind.Code != KindCode.Struct) return "the host is not a Struct";
        return Move(from, target, node, target);
    }

    private static string? Plunge(ViewNode node, string host, string target, int depth)
    {
        if (string.Equals(host, target, StringComparison.Ordinal)) return "a field cannot be plunged into itself";
        if (node.Field(host) is not { } to || to.Kind.Code != KindCode.Struct) return "the host is not a Struct";
        if (node.Field(target) is { } moved && depth + 2 + moved.Height() > Limits.PathSegments) return TooDeep;
        return Move(node, target, to, target);
    }

    private static string? Move(ViewNode from, string name, ViewNode to, string newName)
    {
        if (from.Field(name) is not { } field) return NoField;
        if (!to.TryAdd(newName, field)) return "there is such a field already";
        from.Take(name);
        return null;
    }
}
