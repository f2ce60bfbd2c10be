using CloudPeer.TestKit;
using CsCheck;
using Tlfs.Core.Ids;
using Tlfs.Core.Lenses;
using Xunit;

namespace Tlfs.Core.Tests.Lenses.Laws;

public sealed class LensLaws
{
    [Fact]
    public void Inverting_twice_gives_the_lens() => LensGen.Lenses.Sample(lens => lens.Inverse().Inverse() == lens, iter: 10_000);

    [Fact]
    public void A_lens_survives_its_codec() => LensGen.Lenses.Sample(
        lens => LensCodec.TryDecode(LensCodec.Encode(lens), out var decoded, out _) && decoded == lens, iter: 10_000);

    [Fact]
    public void A_list_survives_its_codec() => LensGen.Lists.Sample(
        list => LensList.TryDecode(list.Bytes, out var decoded, out _) && decoded.Equals(list) && decoded.Hash == list.Hash && decoded.Lenses.SequenceEqual(list.Lenses),
        iter: 10_000);

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
    public void A_list_taken_back_from_its_end_leaves_nothing() => LensGen.Lists.Sample(
        list =>
        {
            // What a removal hides does not come back, so it takes what was made in it along.
            if (list.Lenses.Any(lens => ViewBuilder.Innermost(lens) is RemoveProperty)) return;
            var builder = new ViewBuilder();
            foreach (var lens in list.Lenses) builder.Apply(lens, default);
            foreach (var lens in list.Lenses.Reverse()) Assert.Null(builder.Apply(lens.Inverse(), default));
            Assert.Equal(Show(new ViewBuilder().Root), Show(builder.Root));
        },
        iter: 10_000);

    [Fact]
    public void Every_place_of_a_view_has_a_storage_path_of_its_own() => LensGen.Lists.Sample(list =>
    {
        var paths = new HashSet<string>(StringComparer.Ordinal);
        foreach (var node in Places.All(list.View.Root)) Assert.True(paths.Add(Places.Form(node)));
    }, iter: 10_000);

    [Fact]
    public void A_rename_hoist_or_plunge_moves_no_storage_path() => Gen.Select(LensGen.Lists, LensGen.Lenses).Sample((list, lens) =>
    {
        if (ViewBuilder.Innermost(lens) is not (RenameProperty or HoistProperty or PlungeProperty)) return;
        var builder = new ViewBuilder();
        foreach (var earlier in list.Lenses) builder.Apply(earlier, default);
        if (builder.Apply(lens, default) is not null) return;
        var later = LensList.Of(list.Name, [.. list.Lenses, lens]);
        Assert.Equal(Places.All(list.View.Root).Select(Places.Form).Order(StringComparer.Ordinal), Places.All(later.View.Root).Select(Places.Form).Order(StringComparer.Ordinal), StringComparer.Ordinal);
    }, iter: 20_000);

    [Fact]
    public void Each_lens_of_a_version_as_people_make_it_is_undone_by_its_inverse_and_moves_no_storage_path()
    {
        var moved = 0;
        Gen.ULong.Sample(
            seed =>
            {
                var entropy = new SeededEntropy(seed);
                var list = RandomVersion.Later(RandomVersion.First(entropy), entropy);
                var builder = new ViewBuilder();
                for (var i = 0; i < list.Lenses.Count; i++)
                {
                    var (lens, before, places) = (list.Lenses[i], Show(builder.Root), Forms(builder.Root));
                    var id = new FieldId((ulong)i + 1);
                    Assert.Null(builder.Apply(lens, id));
                    if (ViewBuilder.Innermost(lens) is RenameProperty or HoistProperty or PlungeProperty)
                    {
                        Interlocked.Increment(ref moved);
                        Assert.Equal(places, Forms(builder.Root));
                    }

                    if (ViewBuilder.Innermost(lens) is RemoveProperty) continue;
                    Assert.Null(builder.Apply(lens.Inverse(), default));
                    Assert.Equal(before, Show(builder.Root));
                    Assert.Null(builder.Apply(lens, id));
                }
            },
            iter: 10_000);
        Assert.True(moved > 3_000, $"only {moved} fields were renamed, hoisted or plunged");
    }

    [Fact]
    public void Field_ids_of_a_list_are_distinct() => LensGen.Lists.Sample(list =>
    {
        var ids = Enumerable.Range(0, list.Lenses.Count).Where(i => ViewBuilder.Innermost(list.Lenses[i]) is AddProperty).Select(list.FieldIdAt).ToList();
        Assert.Equal(ids.Count, new HashSet<FieldId>(ids).Count);
    }, iter: 10_000);

    private static List<string> Forms(ViewNode root) => [.. Places.All(root).Select(Places.Form).Order(StringComparer.Ordinal)];

    private static string Show(ViewNode node) =>
        node.Kind + "{" + string.Join(",", node.Fields.Select(field => field.Key + ":" + Show(field.Value))) + "}" + (node.Element is null ? "" : "[" + Show(node.Element) + "]");
}
