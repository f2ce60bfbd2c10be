using Tlfs.Core.Documents;
using Tlfs.Core.Policy;
using Xunit;

namespace Tlfs.Core.Tests.Documents;

/// <summary>What was edited and does not count can be read.</summary>
public sealed class VoidedTests : IDisposable
{
    private readonly Copy _ann = Copy.Begin(People.Ann, 300);
    private readonly Copy _bob;
    private readonly Copy _cid;

    public VoidedTests()
    {
        _ann.Set(".", """{"tasks":[{"title":"old"}],"people":{"Ann":{"age":1}}}""");
        var grant = _ann.Grant(People.Bob, Permission.Write);
        _bob = _ann.Share(People.Bob, 301);
        _ann.Make(author => author.Revoke(grant));
        _bob.Edit(edit =>
        {
            edit.Set(".tasks[0].title", Core.Crdt.Json.Parse("\"late\""));
            edit.Set(".people[\"Ann\"].age", Core.Crdt.Json.Parse("18446744073709551615"));
            edit.Set(".tasks[0].complete", Core.Crdt.Json.Parse("true"));
        });
        _bob.Edit(edit =>
        {
            edit.Insert(".tasks", 1, Core.Crdt.Json.Parse("{\"title\":\"new\"}"));
            edit.Remove(".people[\"Ann\"]");
        });
        _ann.Receive(_bob);
        _cid = _ann.Share(People.Cid, 302);
    }

    public void Dispose()
    {
        _ann.Dispose();
        _bob.Dispose();
        _cid.Dispose();
    }

    [Fact]
    public void A_delta_after_a_revocation_is_told_with_paths_values_and_the_reason()
    {
        var voided = _ann.Document.Voided();
        Assert.Equal(2, voided.Count);
        Assert.All(voided, edit => Assert.Equal((Reason.NotAuthorised, People.Bob.Device.Public, false, (Reason?)null), (edit.Reason, edit.Author, edit.Withdrawn, edit.Closed)));
        Assert.Equal([1UL, 2UL], voided.Select(edit => edit.Seq));
        var first = voided[0].Operations!;
        Assert.Contains(new(VoidedKind.Put, ".tasks[0].title", "\"late\""), first);
        Assert.Contains(new(VoidedKind.Put, ".people[\"Ann\"].age", "18446744073709551615"), first);
        Assert.Contains(new(VoidedKind.Put, ".tasks[0].complete", "true"), first);
        Assert.Contains(new(VoidedKind.Remove, ".tasks[0].title", null), first);
        var second = voided[1].Operations!;
        Assert.Contains(new(VoidedKind.Place, ".tasks[1]", null), second);
        Assert.Contains(new(VoidedKind.Put, ".tasks[1].title", "\"new\""), second);
        Assert.Contains(second, operation => operation is { Kind: VoidedKind.Remove, Path: ".people[\"Ann\"]" });
    }

    [Fact]
    public void Who_has_no_key_learns_that_something_does_not_count_and_not_what()
    {
        var voided = _cid.Document.Voided();
        Assert.Equal(2, voided.Count);
        Assert.All(voided, edit => Assert.Equal((Reason.NotAuthorised, Reason.KeyMissing), (edit.Reason, edit.Closed)));
        Assert.All(voided, edit => Assert.Null(edit.Operations));
    }

    [Fact]
    public void What_counts_is_not_told() => Assert.Empty(_bob.Document.Voided());

    [Fact]
    public void A_place_that_the_schema_does_not_show_is_told_by_its_storage_path()
    {
        _ann.Document.UseLocalSchema(Core.Schema.TlfsPackage.Compile(Schemas.TourSource.Replace("}\n}", "}\n 0.2.0 { .tasks.[].complete.remove() } }", StringComparison.Ordinal)).Schemas[0]);
        var paths = _ann.Document.Voided()[0].Operations!.Select(operation => operation.Path).ToArray();
        Assert.Contains(".tasks[0].title", paths, StringComparer.Ordinal);
        Assert.Contains(paths, path => path.Length > 16 && path.All(char.IsAsciiHexDigitLower));
    }
}
