using CloudPeer.TestKit;
using Tlfs.Core.Lenses;

namespace Tlfs.Core.Tests.Lenses;

/// <summary>Schema versions as people make them: fields with types, nested, that are renamed, moved and removed later. Every lens fits.</summary>
internal static class RandomVersion
{
    private static readonly string[] Names = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"];

    private static readonly Kind[] Kinds =
    [
        Kind.Struct, Kind.Struct, Kind.Struct, Kind.Array, Kind.Array, Kind.Table(Primitive.String), Kind.Table(Primitive.U64), Kind.EWFlag, Kind.EWFlag,
        Kind.MVReg(Primitive.String), Kind.MVReg(Primitive.U64), Kind.MVReg(Primitive.I64), Kind.MVReg(Primitive.F64), Kind.MVReg(Primitive.Bytes), Kind.MVReg(Primitive.Bool),
    ];

    /// <summary>A first version: some fields, most of them with types.</summary>
    public static LensList First(SeededEntropy entropy) => Later(LensList.Of("x", [new Make(Kind.Struct)]), entropy, 6 + entropy.Below(8), change: 10);

    /// <summary>A later version: fields are added, and about half of the lenses change what is there.</summary>
    public static LensList Later(LensList list, SeededEntropy entropy) => Later(list, entropy, 2 + entropy.Below(6), change: 2);

    private static LensList Later(LensList list, SeededEntropy entropy, int steps, int change)
    {
        var lenses = list.Lenses.ToList();
        var builder = new ViewBuilder();
        foreach (var lens in lenses) builder.Apply(lens, default);
        for (var step = 0; step < steps; step++)
        {
            foreach (var lens in Step(builder.Root, entropy, change))
                if (builder.Apply(lens, default) is null) lenses.Add(lens);
        }

        return LensList.Of(list.Name, lenses);
    }

    private static IEnumerable<Lens> Step(ViewNode root, SeededEntropy entropy, int change)
    {
        var (node, around) = (root, (Func<Lens, Lens>)(lens => lens));
        while (entropy.Below(3) > 0)
        {
            var outer = around;
            if (node.Element is { } element)
            {
                around = node.Kind.Code == KindCode.Array ? lens => outer(new LensMap(lens)) : lens => outer(new LensMapValue(lens));
                node = element;
            }
            else
            {
                var open = node.Fields.Where(field => field.Value.Kind.IsContainer || field.Value.Kind == Kind.Null).ToList();
                if (open.Count == 0) break;
                var (name, field) = open[entropy.Below(open.Count)];
                around = lens => outer(new LensIn(name, lens));
                node = field;
            }
        }

        return At(node, entropy, change).Select(around);
    }

    private static Lens[] At(ViewNode node, SeededEntropy entropy, int change)
    {
        if (node.Kind == Kind.Null) return [new Make(Kinds[entropy.Below(Kinds.Length)])];
        if (node.Kind.Code != KindCode.Struct) return [];
        var name = Names[entropy.Below(Names.Length)];
        if (node.Fields.Count == 0 || entropy.Below(change) > 0) return [new AddProperty(name), new LensIn(name, new Make(Kinds[entropy.Below(Kinds.Length)]))];
        var field = node.Fields.Keys.ElementAt(entropy.Below(node.Fields.Count));
        var hosts = node.Fields.Where(each => each.Value.Kind.Code == KindCode.Struct).ToList();
        var (host, inside) = hosts.Count == 0 ? new(name, node) : hosts[entropy.Below(hosts.Count)];
        return entropy.Below(5) switch
        {
            0 => [new RenameProperty(field, name)],
            1 or 2 => [new PlungeProperty(host, field)],
            3 => [new HoistProperty(host, inside.Fields.Keys.FirstOrDefault(name)!)],
            _ => [new RemoveProperty(field)],
        };
    }
}
