using System.Diagnostics;
using Tlfs.Core.Ids;
using Tlfs.Core.Lenses;
using Tlfs.Core.Paths;
using Tlfs.Core.Schema;
using Xunit;

namespace Tlfs.Core.Tests.Lenses;

public sealed class LensListTests
{
    public static TheoryData<string, Lens[]> Misfits => new()
    {
        { "a field of what is no struct", [new AddProperty("a")] },
        { "a second kind", [new Make(Kind.Struct), new Make(Kind.Array)] },
        { "a field twice", [new Make(Kind.Struct), new AddProperty("a"), new AddProperty("a")] },
        { "removal of nothing", [new Make(Kind.Struct), new RemoveProperty("a")] },
        { "a rename onto another field", [new Make(Kind.Struct), new AddProperty("a"), new AddProperty("b"), new RenameProperty("a", "b")] },
        { "destruction of another kind", [new Make(Kind.Struct), new Destroy(Kind.Array)] },
        { "destruction of a struct with fields", [new Make(Kind.Struct), new AddProperty("a"), new Destroy(Kind.Struct)] },
        { "destruction of a table with values", [new Make(Kind.Table(Primitive.U64)), new LensMapValue(new Make(Kind.Struct)), new Destroy(Kind.Table(Primitive.U64))] },
        { "elements of a table", [new Make(Kind.Table(Primitive.U64)), new LensMap(new Make(Kind.Struct))] },
        { "values of an array", [new Make(Kind.Array), new LensMapValue(new Make(Kind.Struct))] },
        { "a plunge into itself", [new Make(Kind.Struct), new AddProperty("a"), new LensIn("a", new Make(Kind.Struct)), new PlungeProperty("a", "a")] },
        { "a plunge into a register", [new Make(Kind.Struct), new AddProperty("a"), new LensIn("a", new Make(Kind.EWFlag)), new AddProperty("b"), new PlungeProperty("a", "b")] },
        { "a hoist of nothing", [new Make(Kind.Struct), new AddProperty("a"), new LensIn("a", new Make(Kind.Struct)), new HoistProperty("a", "b")] },
        { "a lens where nothing is", [new Make(Kind.Struct), new LensIn("a", new Make(Kind.Struct))] },
    };

    [Theory]
    [MemberData(nameof(Misfits), DisableDiscoveryEnumeration = true)]
    public void A_list_that_does_not_apply_is_refused(string what, Lens[] lenses)
    {
        Assert.Throws<ArgumentException>(() => LensList.Of(what.Length > 0 ? "x" : "", lenses));
        byte[] bytes = [(byte)(0x81 + lenses.Length), 0x61, (byte)'x', .. lenses.SelectMany(LensCodec.Encode)];
        Assert.False(LensList.TryDecode(bytes, out _, out var error));
        Assert.Equal(Reason.Malformed, error.Reason);
    }

    [Fact]
    public void Thirty_two_lenses_may_stand_around_one_and_no_more()
    {
        Assert.True(LensCodec.TryDecode(LensCodec.Encode(Nested(Limits.LensDepth)), out _, out _));
        Assert.False(LensCodec.TryDecode(LensCodec.Encode(Nested(Limits.LensDepth + 1)), out _, out var error));
        Assert.Equal(Reason.TooLarge, error.Reason);
    }

    [Fact]
    public void A_path_has_thirty_two_segments_and_no_more_whatever_was_plunged()
    {
        var lenses = new List<Lens> { new Make(Kind.Struct) };
        for (var depth = 0; depth < Limits.PathSegments; depth++)
            lenses.AddRange([In(depth, new AddProperty("a")), In(depth + 1, new Make(Kind.Struct))]);
        LensList.Of("x", lenses);
        Assert.Throws<ArgumentException>(() => LensList.Of("x", [.. lenses, In(Limits.PathSegments, new AddProperty("a"))]));
        Assert.Throws<ArgumentException>(() => LensList.Of("x",
            [.. lenses, new AddProperty("host"), new LensIn("host", new Make(Kind.Struct)), new PlungeProperty("host", "a")]));
    }

    [Fact]
    public void A_list_at_the_limits_is_decoded_and_shown_in_time()
    {
        var names = Enumerable.Range(0, Limits.Lenses - 1).Select(i => $"field_{i:D4}__");
        var list = LensList.Of("x", [new Make(Kind.Struct), .. names.Select(name => new AddProperty(name))]);
        Assert.InRange(list.Bytes.Length, Limits.LensListBytes * 9 / 10, Limits.LensListBytes);
        var watch = Stopwatch.StartNew();
        Assert.True(LensList.TryDecode(list.Bytes, out var decoded, out _));
        Assert.InRange(watch.ElapsedMilliseconds, 0, 500);
        Assert.Equal(Limits.Lenses - 1, decoded.View.Root.Fields.Count);
        Assert.InRange(watch.ElapsedMilliseconds, 0, 5_000);
        Assert.Throws<ArgumentException>(() => LensList.Of("x", [.. list.Lenses, new AddProperty("one_more")]));
        Assert.False(LensList.TryDecode(new byte[Limits.LensListBytes + 1], out _, out var error));
        Assert.Equal(Reason.TooLarge, error.Reason);
    }

    [Fact]
    public void A_plunged_field_stays_where_it_was_made()
    {
        var versions = TlfsPackage.Compile("""
            x { 0.1.0 { .: Struct .title: MVReg<String> .attrs: Struct .attrs.color: MVReg<String> }
                0.2.0 { .title.plunge(attrs) .attrs.color.hoist() } }
            """).Schemas[0].Versions;
        var (before, after) = (versions[0].List.View, versions[1].List.View);
        var title = before.Root.Fields["title"].Storage([]);
        var attrs = before.Root.Fields["attrs"];
        Assert.Equal(title, after.Root.Fields["attrs"].Fields["title"].Storage([]));
        Assert.False(attrs.Storage([]).Contains(title));
        Assert.Equal(attrs.Fields["color"].Storage([]), after.Root.Fields["color"].Storage([]));
        Assert.Same(after.Root.Fields["attrs"].Fields["title"], after.Find(title));
    }

    [Fact]
    public void A_view_finds_what_it_shows_and_nothing_else()
    {
        var view = Schemas.Tour.View;
        var tasks = view.Root.Fields["tasks"];
        var title = tasks.Element!.Fields["title"];
        var path = title.Storage([Segment.Of(new Uid(7))]);
        Assert.Same(title, view.Find(path));
        Assert.Same(view.Root, view.Find(StoragePath.Root));
        Assert.Null(view.Find(tasks.Storage([]).Append(Segment.Of(7UL))));
        Assert.Null(view.Find(view.Root.Fields["people"].Storage([]).Append(Segment.Of(7UL))));
        Assert.Null(view.Find(path.Append(Segment.Of(new Uid(7)))));
        Assert.Null(view.Find(StoragePath.Root.Append(Segment.Of(new FieldId(1)))));
    }

    [Fact]
    public void A_removed_field_is_hidden_and_a_new_one_of_its_name_is_another()
    {
        var versions = TlfsPackage.Compile("""
            x { 0.1.0 { .: Struct .a: MVReg<String> }  0.2.0 { .a.remove() }  0.3.0 { .a: MVReg<u64> } }
            """).Schemas[0].Versions.Select(version => version.List).ToList();
        var first = versions[0].View.Root.Fields["a"].Storage([]);
        Assert.Null(versions[1].View.Find(first));
        Assert.NotEqual(first, versions[2].View.Root.Fields["a"].Storage([]));
        Assert.Equal(3, versions[2].CommonLenses(versions[0]));
        Assert.False(versions[0].StartsWith(versions[1]));
    }

    private static Lens Nested(int depth) => depth == 0 ? new AddProperty("a") : new LensMap(Nested(depth - 1));

    private static Lens In(int depth, Lens lens) => depth == 0 ? lens : new LensIn("a", In(depth - 1, lens));
}
