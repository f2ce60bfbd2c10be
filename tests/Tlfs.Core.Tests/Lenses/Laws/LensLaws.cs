using CsCheck;
using Tlfs.Core.Ids;
using Tlfs.Core.Lenses;
using Xunit;

namespace Tlfs.Core.Tests.Lenses.Laws;

public sealed class LensLaws
{
    [Fact]
    public void Inverting_twice_gives_the_lens() => LensGen.Lenses.Sample(lens => lens.Inverse().Inverse() == lens, iter: 5_000);

    [Fact]
    public void A_lens_survives_its_codec() => LensGen.Lenses.Sample(
        lens => LensCodec.TryDecode(LensCodec.Encode(lens), out var decoded, out _) && decoded == lens, iter: 5_000);

    [Fact]
    public void A_list_survives_its_codec() => LensGen.Lists.Sample(
        list => LensList.TryDecode(list.Bytes, out var decoded, out _) && decoded.Equals(list) && decoded.Hash == list.Hash && decoded.Lenses.SequenceEqual(list.Lenses),
        iter: 2_000);

    [Fact]
    public void A_lens_and_its_inverse_leave_the_view_as_it_was() => Gen.Select(LensGen.Lists, LensGen.Lenses).Sample((list, lens) =>
    {
        var builder = new ViewBuilder();
        foreach (var earlier in list.Lenses) builder.Apply(earlier, default);
        var before = Show(builder.Root);
        if (builder.Apply(lens, default) is not null)
        {
            Assert.Equal(before, Show(builder.Root));
            return;
        }

        // What a removal hides does not come back by adding a field of the same name: the field is kept, under another id.
        if (ViewBuilder.Innermost(lens) is RemoveProperty) return;
        Assert.Null(builder.Apply(lens.Inverse(), default));
        Assert.Equal(before, Show(builder.Root));
    }, iter: 20_000);

    [Fact]
    public void Every_place_of_a_view_has_a_storage_path_of_its_own() => LensGen.Lists.Sample(list =>
    {
        var paths = new HashSet<string>(StringComparer.Ordinal);
        foreach (var node in All(list.View.Root)) Assert.True(paths.Add(Pattern(node)));
    }, iter: 2_000);

    [Fact]
    public void A_rename_hoist_or_plunge_moves_no_storage_path() => Gen.Select(LensGen.Lists, LensGen.Lenses).Sample((list, lens) =>
    {
        if (ViewBuilder.Innermost(lens) is not (RenameProperty or HoistProperty or PlungeProperty)) return;
        var builder = new ViewBuilder();
        foreach (var earlier in list.Lenses) builder.Apply(earlier, default);
        if (builder.Apply(lens, default) is not null) return;
        var later = LensList.Of(list.Name, [.. list.Lenses, lens]);
        Assert.Equal(All(list.View.Root).Select(Pattern).Order(StringComparer.Ordinal), All(later.View.Root).Select(Pattern).Order(StringComparer.Ordinal), StringComparer.Ordinal);
    }, iter: 20_000);

    [Fact]
    public void Field_ids_of_a_list_are_distinct() => LensGen.Lists.Sample(list =>
    {
        var ids = Enumerable.Range(0, list.Lenses.Count).Where(i => ViewBuilder.Innermost(list.Lenses[i]) is AddProperty).Select(list.FieldIdAt).ToList();
        Assert.Equal(ids.Count, new HashSet<FieldId>(ids).Count);
    }, iter: 1_000);

    private static IEnumerable<ViewNode> All(ViewNode node)
    {
        IEnumerable<ViewNode> below = [.. node.Fields.Values, .. node.Element is null ? Array.Empty<ViewNode>() : [node.Element]];
        return below.SelectMany(All).Prepend(node);
    }

    private static string Pattern(ViewNode node) =>
        (node.Container is null ? "" : Pattern(node.Container) + "/*") + string.Concat(node.Chain.Select(id => "/" + id)) + ":" + node.Kind;

    private static string Show(ViewNode node) =>
        node.Kind + "{" + string.Join(",", node.Fields.Select(field => field.Key + ":" + Show(field.Value))) + "}" + (node.Element is null ? "" : "[" + Show(node.Element) + "]");
}
