using Tlfs.Core.Crdt;
using Tlfs.Core.Ids;
using Tlfs.Core.Lenses;
using Tlfs.Core.Paths;
using Tlfs.Core.Schema;
using Tlfs.Core.Tests.Crdt;
using Xunit;

namespace Tlfs.Core.Tests.Lenses;

/// <summary>
/// A lens never widens a right: rights name storage paths (docs/protocol/operations.md §2.4), and rename, hoist and plunge leave those alone. A right on a path
/// is one on everything below, so an operation needs a right above its own path.
/// </summary>
public sealed class RightsTests
{
    private static readonly IReadOnlyList<TlfsVersion> Versions = TlfsPackage.Compile("""
        x { 0.1.0 { .: Struct .title: MVReg<String> .attrs: Struct .attrs.color: MVReg<String> .attrs.rows: Table<u64> .attrs.rows.{}: Struct .attrs.rows.{}.n: EWFlag }
            0.2.0 { .title.plunge(attrs) .attrs.color.hoist() .attrs.rename(more) } }
        """).Schemas[0].Versions;

    private static readonly LensList Before = Versions[0].List;
    private static readonly LensList After = Versions[1].List;
    private static readonly StoragePath Title = Before.View.Root.Fields["title"].Storage([]);
    private static readonly StoragePath Attrs = Before.View.Root.Fields["attrs"].Storage([]);

    [Fact]
    public void Publishing_title_plunge_attrs_gives_nobody_with_Write_on_attrs_a_way_to_title()
    {
        var replica = new Replica(Before, 1);
        var title = replica.Set(".title", "\"kept\"");
        replica.List = After;
        Assert.False(Attrs.Contains(After.View.Root.Fields["more"].Fields["title"].Storage([])));
        Assert.Equal("\"kept\"", replica.Show(".more.title"));

        // Whatever a member with Write on .attrs alone may write, the title stays.
        var dots = new[] { new Dot(title.Id, 0, 0) };
        replica.Receive(new Delta(Replica.Id(9, 1), [new Remove(Attrs, dots)]));
        Assert.Equal("\"kept\"", replica.Show(".more.title"));
        foreach (var edit in (Delta[])[replica.Set(".more.title", "\"taken\""), replica.Set(".more", "{\"title\":\"again\"}"), replica.Remove(".more.title")])
            Assert.Contains(edit.Operations, operation => PathOf(operation).Equals(Title) && !Attrs.Contains(PathOf(operation)));
    }

    [Fact]
    public void Who_had_Write_on_attrs_keeps_it_on_what_was_hoisted_out_of_it()
    {
        var color = After.View.Root.Fields["color"].Storage([]);
        Assert.True(Attrs.Contains(color));
        var replica = new Replica(After, 1);
        Assert.All(replica.Set(".color", "\"red\"").Operations, operation => Assert.True(Attrs.Contains(PathOf(operation))));
    }

    [Fact]
    public void An_edit_under_either_version_writes_to_the_same_storage_paths()
    {
        Replica old = new(Before, 1), young = new(After, 1);
        Assert.Equal(Paths(old.Set(".attrs.rows[7].n", "true")), Paths(young.Set(".more.rows[7].n", "true")));
        Assert.Equal(Paths(old.Set(".title", "\"t\"")), Paths(young.Set(".more.title", "\"t\"")));
        Assert.Equal(Paths(old.Set(".attrs.color", "\"c\"")), Paths(young.Set(".color", "\"c\"")));
        Assert.Equal(Paths(old.Remove(".attrs.rows[7]")), Paths(young.Remove(".more.rows[7]")));
    }

    [Fact]
    public void A_remove_takes_away_only_what_lies_under_the_path_it_names()
    {
        var replica = new Replica(After, 1);
        var made = replica.Set(".", "{\"color\":\"red\",\"more\":{\"title\":\"t\",\"rows\":{\"1\":{\"n\":true}}}}");
        var dots = made.Operations.Select((operation, i) => (operation, i)).Where(each => each.operation is Put).Select(each => new Dot(made.Id, 0, (uint)each.i)).Order().ToArray();
        replica.Receive(new Delta(Replica.Id(9, 1), [new Remove(Title, dots)]));
        Assert.Equal("{\"color\":\"red\",\"more\":{\"rows\":{\"1\":{\"n\":true}},\"title\":null}}", replica.Json);
    }

    private static List<string> Paths(Delta delta) => [.. delta.Operations.Select(operation => PathOf(operation).ToString())];

    private static StoragePath PathOf(Operation operation) => operation switch
    {
        Put put => put.Path,
        Remove remove => remove.Path,
        Place place => place.Path,
        _ => throw new InvalidOperationException("an edit has no other operations"),
    };
}
