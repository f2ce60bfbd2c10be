using CsCheck;
using Tlfs.Core.Lenses;
using Tlfs.Core.Schema;
using Xunit;

namespace Tlfs.Core.Tests.Lenses;

public sealed class SchemaDifferenceTests
{
    private const string First = "x { 1.0.0 { .: Struct .a: EWFlag .old: MVReg<u64> .attrs: Struct .attrs.color: MVReg<String> .list: Array } 2.0.0 { ";

    [Theory]
    [InlineData("", "")]
    [InlineData(".new: Table<u64> .new.{}: MVReg<f64>", "Added -> .new Table<u64>|Added -> .new.{} MVReg<f64>")]
    [InlineData(".a.rename(b)", "Renamed .a -> .b EWFlag")]
    [InlineData(".a.plunge(attrs)", "Moved .a -> .attrs.a EWFlag")]
    [InlineData(".attrs.color.hoist()", "Moved .attrs.color -> .color MVReg<String>")]
    [InlineData(".old.remove()", "Hidden .old -> MVReg<u64>")]
    [InlineData(".attrs.remove()", "Hidden .attrs -> Struct")]
    [InlineData(".attrs.color.hoist() .attrs.remove()", "Moved .attrs.color -> .color MVReg<String>|Hidden .attrs -> Struct")]
    [InlineData(".list.[]: MVReg<Bytes>", "Made .list.[] -> .list.[] MVReg<Bytes>")]
    [InlineData(".a.rename(b) .b.plunge(attrs)", "Moved .a -> .attrs.b EWFlag")]
    [InlineData(".attrs.rename(more)", "Renamed .attrs -> .more Struct")]
    [InlineData(".a.plunge(attrs) .attrs.a.hoist() .tmp: Struct .tmp.remove() .old.rename(x) .x.rename(old)", "")]
    [InlineData(".old.remove() .old: MVReg<i64>", "Added -> .old MVReg<i64>|Hidden .old -> MVReg<u64>")]
    public void What_a_version_changes_is_listed(string rules, string expected) =>
        Assert.Equal(expected, Show(Between(First + rules + " } }", 0, 1)));

    [Fact]
    public void The_way_back_shows_what_is_hidden_and_does_not_know_what_is_new()
    {
        const string source = First + ".old.remove() .a.rename(b) .list.[]: Struct .list.[].c: EWFlag } }";
        Assert.Equal(
            "Renamed .b -> .a EWFlag|Destroyed .list.[] -> .list.[] Null|Shown -> .old MVReg<u64>|Unknown .list.[].c -> EWFlag", Show(Between(source, 1, 0)));
    }

    [Fact]
    public void Two_branches_are_compared_through_what_they_share()
    {
        var left = Schemas.Latest(First + ".a.rename(left) .note: MVReg<String> } }");
        var right = Schemas.Latest(First + ".a.plunge(attrs) .note: MVReg<String> } }");
        Assert.Equal("Moved .left -> .attrs.a EWFlag|Added -> .note MVReg<String>|Unknown .note -> MVReg<String>", Show(SchemaDifference.Between(left, right)));
    }

    [Fact]
    public void Lists_made_by_hand_may_destroy_a_type_and_make_another()
    {
        Lens[] begin = [new Make(Kind.Struct), new AddProperty("a"), new LensIn("a", new Make(Kind.Array))];
        var before = LensList.Of("x", begin);
        var none = LensList.Of("x", [.. begin, new LensIn("a", new Destroy(Kind.Array))]);
        var other = LensList.Of("x", [.. none.Lenses, new LensIn("a", new Make(Kind.EWFlag))]);
        Assert.Equal("Destroyed .a -> .a Null", Show(SchemaDifference.Between(before, none)));
        Assert.Equal("Destroyed .a -> .a EWFlag", Show(SchemaDifference.Between(before, other)));
        Assert.Equal("Made .a -> .a EWFlag", Show(SchemaDifference.Between(none, other)));
    }

    [Fact]
    public void Versions_of_two_schemas_are_not_compared() =>
        Assert.Throws<ArgumentException>(() => SchemaDifference.Between(Schemas.Tour, Schemas.Everything));

    [Fact]
    public void A_version_does_not_differ_from_itself_and_differences_are_mirrored() => Gen.Select(LensGen.Lists, Gen.Int[0, 60]).Sample((list, count) =>
    {
        var earlier = LensList.Of(list.Name, list.Lenses.Take(Math.Max(1, count)));
        Assert.Empty(SchemaDifference.Between(list, list));
        var there = SchemaDifference.Between(earlier, list);
        var back = SchemaDifference.Between(list, earlier);
        Assert.Equal(Ways(there, change => (change.Before, change.After)), Ways(back, change => (change.After, change.Before)));
    }, iter: 2_000);

    [Theory]
    [InlineData(SchemaChangeKind.Added, null, ".b", "adds .b: EWFlag; 1.0.0 does not see it, and keeps what others write there")]
    [InlineData(SchemaChangeKind.Shown, null, ".b", "shows .b: EWFlag again; what was written there is kept; 1.0.0 does not see it")]
    [InlineData(SchemaChangeKind.Hidden, ".a", null, "removes .a: EWFlag; hidden, and what it holds is kept; 1.0.0 keeps seeing .a")]
    [InlineData(SchemaChangeKind.Unknown, ".a", null, "does not know .a: EWFlag; what it holds is kept; 1.0.0 keeps seeing .a")]
    [InlineData(SchemaChangeKind.Renamed, ".a", ".b", "renames .a to .b; 1.0.0 keeps seeing .a, and both edit the same value")]
    [InlineData(SchemaChangeKind.Moved, ".a", ".b.a", "moves .a to .b.a; 1.0.0 keeps seeing .a, and both edit the same value")]
    [InlineData(SchemaChangeKind.Made, ".a", ".b", "gives .b the type EWFlag; 1.0.0 sees .a as null, and keeps what others write there")]
    [InlineData(SchemaChangeKind.Destroyed, ".a", ".b", "gives .b the type EWFlag instead of its old one; 2.0.0 does not see what 1.0.0 writes to .a; it is kept")]
    public void A_change_is_said_in_words(SchemaChangeKind kind, string? before, string? after, string expected)
    {
        var change = new SchemaChange(kind, before, after, Kind.EWFlag);
        Assert.Equal(expected, $"{SchemaChangeText.What(change)}; {SchemaChangeText.Meaning(change, new(1, 0, 0), new(2, 0, 0))}");
        Assert.Equal(kind.ToString().ToLowerInvariant(), kind.ToText());
    }

    // A place that is hidden takes what lies below it with it, so only places shown by both have a mirror image.
    private static List<string> Ways(IEnumerable<SchemaChange> changes, Func<SchemaChange, (string? From, string? To)> way) =>
        [.. changes.Select(way).Where(pair => pair is (not null, not null)).Distinct().Select(pair => pair.From + ">" + pair.To).Order(StringComparer.Ordinal)];

    private static IReadOnlyList<SchemaChange> Between(string source, int from, int to)
    {
        var versions = TlfsPackage.Compile(source).Schemas[0].Versions;
        return SchemaDifference.Between(versions[from].List, versions[to].List);
    }

    private static string Show(IEnumerable<SchemaChange> changes) => string.Join("|", changes.Select(change =>
        $"{change.Kind} {change.Before}{(change.Before is null ? "" : " ")}-> {change.After}{(change.After is null ? "" : " ")}{change.Type}"));
}
