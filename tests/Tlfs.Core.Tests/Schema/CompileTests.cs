using Tlfs.Core.Schema;
using Xunit;

namespace Tlfs.Core.Tests.Schema;

public sealed class CompileTests
{
    [Fact]
    public void The_tour_compiles() => Assert.Equal(15, Schemas.Tour.Lenses.Count);

    [Fact]
    public void A_later_version_starts_with_the_earlier_one()
    {
        var versions = TlfsPackage.Compile(Schemas.OldSource).Schemas[0].Versions;
        Assert.Equal("0.1.0 0.1.1", string.Join(" ", versions.Select(version => version.Version)));
        Assert.True(versions[1].List.StartsWith(versions[0].List));
        Assert.Equal("complete title", string.Join(" ", versions[1].List.View.Root.Fields["tasks"].Element!.Fields.Keys));
    }

    [Fact]
    public void A_refusal_is_one_line_with_place_and_suggestion()
    {
        var refused = Assert.Throws<TlfsException>(() => TlfsPackage.Compile("x {\n  0.1.0 { .: Struct  .title: MVReg<string> }\n}", "todo.tlfs"));
        Assert.Equal(Reason.SchemaError, refused.Reason);
        Assert.Equal("todo.tlfs:2:36: there is no primitive 'string'; did you mean 'String'?", refused.Message);
    }

    [Fact]
    public void Blanks_and_comments_mean_nothing()
    {
        var one = TlfsPackage.Compile("x{0.1.0{.:Struct .a:Table<u64>}}").Schemas[0].Latest.List;
        var other = TlfsPackage.Compile("\uFEFF/**/x\r\n{ /* * / */ 0.1.0 {\t. : Struct\n.a : Table < u64 > } }").Schemas[0].Latest.List;
        Assert.Equal(one.Hash, other.Hash);
    }

    [Fact]
    public void A_file_may_hold_several_schemas()
    {
        var package = TlfsPackage.Compile(Schemas.TourSource + "notes { 0.1.0 { .: Array .[]: MVReg<String> } }");
        Assert.Equal("notes", package.Find("notes")!.Name);
        Assert.Null(package.Find("todo"));
    }

    [Fact]
    public void Limits_are_refused_one_past_them()
    {
        static SchemaError? Error(string source) => TlfsPackage.TryCompile(source, "f", out _, out var error) ? null : error;
        static string Deep(int depth) => "x { 0.1.0 { .: Struct " + string.Concat(Enumerable.Range(1, depth).Select(i => string.Concat(Enumerable.Repeat(".a", i)) + ": Struct ")) + "} }";
        static string Fields(int count) => "x { 0.1.0 { .: Struct " + string.Concat(Enumerable.Range(0, count).Select(i => $".f{i}: EWFlag\n")) + "} }";
        static string Versions(int count) => "x { " + string.Concat(Enumerable.Range(0, count).Select(i => $"0.0.{i} {{ }}\n")) + "}";
        Assert.Null(Error(Deep(Limits.PathSegments)));
        Assert.Contains("32 segments", Error(Deep(Limits.PathSegments + 1))!.Text, StringComparison.Ordinal);
        Assert.Null(Error(Fields((Limits.Lenses - 1) / 2)));
        Assert.Equal((Limits.Lenses / 2, "a schema has at most 4096 lenses and 65536 bytes of them"), (Error(Fields(Limits.Lenses / 2))!.Line, Error(Fields(Limits.Lenses / 2))!.Text));
        Assert.Null(Error(Versions(256)));
        Assert.Equal(257, Error(Versions(257))!.Line);
        var padded = "x{0.1.0{.:Struct}}".PadRight(Limits.SchemaSourceBytes);
        Assert.Null(Error(padded));
        Assert.NotNull(Error(padded + " "));
    }
}
