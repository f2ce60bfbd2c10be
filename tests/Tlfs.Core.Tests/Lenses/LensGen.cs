using CsCheck;
using Tlfs.Core.Lenses;

namespace Tlfs.Core.Tests.Lenses;

/// <summary>Generators of kinds, lenses and lens lists.</summary>
internal static class LensGen
{
    public static Gen<string> Name { get; } = Gen.OneOf(new[] { "a", "b", "c", "host", "_x9" }.Select(Gen.Const).ToArray());

    public static Gen<Kind> Kinds { get; } = Gen.OneOf(
        Gen.OneOf(Gen.Const(Kind.Struct), Gen.Const(Kind.Array), Gen.Const(Kind.EWFlag)),
        Gen.Enum<Primitive>().Select(Kind.MVReg),
        Gen.Enum<Primitive>().Where(primitive => primitive != Primitive.F64).Select(Kind.Table));

    public static Gen<Lens> Lenses { get; } = Gen.Recursive<Lens>((depth, inner) => depth > 6 ? Innermost() : Gen.OneOf(
        Innermost(),
        Gen.Select(Name, inner).Select((name, lens) => (Lens)new LensIn(name, lens)),
        inner.Select(lens => (Lens)new LensMap(lens)),
        inner.Select(lens => (Lens)new LensMapValue(lens))));

    /// <summary>Lists that apply: of random lenses, those that fit what was made before.</summary>
    public static Gen<LensList> Lists { get; } = Gen.Select(Name, Lenses.Array[0, 60]).Select((name, lenses) =>
    {
        var list = new List<Lens> { new Make(Kind.Struct) };
        var builder = new ViewBuilder();
        builder.Apply(list[0], default);
        list.AddRange(lenses.Where(lens => builder.Apply(lens, default) is null));
        return LensList.Of(name, list);
    });

    /// <summary>A later version: the list and, of these lenses, those that fit.</summary>
    public static LensList Later(LensList list, IEnumerable<Lens> lenses)
    {
        var builder = new ViewBuilder();
        foreach (var lens in list.Lenses) builder.Apply(lens, default);
        return LensList.Of(list.Name, [.. list.Lenses, .. lenses.Where(lens => builder.Apply(lens, default) is null)]);
    }

    private static Gen<Lens> Innermost() => Gen.OneOf<Lens>(
        Kinds.Select(kind => (Lens)new Make(kind)),
        Kinds.Select(kind => (Lens)new Destroy(kind)),
        Name.Select(name => (Lens)new AddProperty(name)),
        Name.Select(name => (Lens)new RemoveProperty(name)),
        Gen.Select(Name, Name).Select((from, to) => (Lens)new RenameProperty(from, to)),
        Gen.Select(Name, Name).Select((host, target) => (Lens)new HoistProperty(host, target)),
        Gen.Select(Name, Name).Select((host, target) => (Lens)new PlungeProperty(host, target)));
}
