using CloudPeer.TestKit;
using Tlfs.Core.Crdt;
using Tlfs.Core.Documents;
using Tlfs.Core.Policy;
using Tlfs.Core.Schema;
using Xunit;

namespace Tlfs.Core.Tests.Documents;

/// <summary>One document under several versions of its schema at the same time; going up and down loses nothing.</summary>
public sealed class VersionTests : IDisposable
{
    private static readonly TlfsSchema Schema = TlfsPackage.Compile("""
        x { 0.1.0 { .: Struct .title: MVReg<String> .old: MVReg<u64> .attrs: Struct .todos: Array .todos.[]: Struct .todos.[].text: MVReg<String> }
            0.2.0 { .title.plunge(attrs) .old.remove() .todos.rename(tasks) .tasks.[].done: EWFlag .people: Table<String> .people.{}: MVReg<u64> } }
        """).Schemas[0];

    private readonly Copy _ann = Copy.Begin(People.Ann, 300, Schema.Versions[0].List);
    private readonly Copy _bob;

    public VersionTests()
    {
        _ann.Grant(People.Bob, Permission.Write);
        _bob = _ann.Share(People.Bob, 301);
        _ann.Document.UseLocalSchema(UpTo(0));
        _bob.Document.UseLocalSchema(UpTo(1));
    }

    public void Dispose()
    {
        _ann.Dispose();
        _bob.Dispose();
    }

    [Fact]
    public void An_app_of_each_version_edits_one_document_at_the_same_time()
    {
        _ann.Set(".", "{\"title\":\"a\",\"old\":1,\"todos\":[{\"text\":\"milk\"}]}");
        Exchange();
        _ann.Set(".todos[0].text", "\"oat milk\"");
        _bob.Set(".tasks[0].done", "true");
        _bob.Edit(edit => edit.Insert(".tasks", 1, Json.Parse("{\"text\":\"bread\",\"done\":true}")));
        _bob.Set(".people[\"Ann\"]", "5");
        Exchange();
        Assert.Equal("{\"attrs\":{},\"old\":1,\"title\":\"a\",\"todos\":[{\"text\":\"oat milk\"},{\"text\":\"bread\"}]}", _ann.Document.ToJson());
        Assert.Equal(
            "{\"attrs\":{\"title\":\"a\"},\"people\":{\"Ann\":5},\"tasks\":[{\"done\":true,\"text\":\"oat milk\"},{\"done\":true,\"text\":\"bread\"}]}", _bob.Document.ToJson());

        _ann.Edit(edit => edit.Move(".todos", 1, 0));
        _bob.Set(".attrs.title", "\"b\"");
        Exchange();
        Assert.Equal("{\"attrs\":{},\"old\":1,\"title\":\"b\",\"todos\":[{\"text\":\"bread\"},{\"text\":\"oat milk\"}]}", _ann.Document.ToJson());
        Assert.Equal(_ann.Document.StateHash, _bob.Document.StateHash);
    }

    [Fact]
    public void What_one_version_hides_another_one_edits_and_both_see_it_after_a_change_of_version()
    {
        _bob.Set(".", "{\"people\":{\"Ann\":5},\"tasks\":[{\"text\":\"milk\",\"done\":true}]}");
        Exchange();
        _ann.Set(".old", "7");
        _ann.Set(".todos[0].text", "\"bread\"");
        Exchange();
        var (low, high) = (_ann.Document.ToJson(), _bob.Document.ToJson());
        for (var turn = 0; turn < 3; turn++)
        {
            _ann.Document.UseLocalSchema(UpTo(1));
            _bob.Document.UseLocalSchema(UpTo(0));
            Assert.Equal((high, low), (_ann.Document.ToJson(), _bob.Document.ToJson()));
            _ann.Document.UseLocalSchema(UpTo(0));
            _bob.Document.UseLocalSchema(UpTo(1));
            Assert.Equal((low, high), (_ann.Document.ToJson(), _bob.Document.ToJson()));
        }

        Assert.Contains("\"old\":7", low, StringComparison.Ordinal);
        Assert.Contains("\"done\":true", high, StringComparison.Ordinal);
    }

    [Fact]
    public void Replacing_the_whole_document_leaves_what_the_version_hides()
    {
        _ann.Set(".", "{\"title\":\"a\",\"old\":1}");
        Exchange();
        _bob.Set(".", "{\"attrs\":{\"title\":\"b\"},\"people\":{\"Bob\":6}}");
        Exchange();
        Assert.Equal("{\"attrs\":{},\"old\":1,\"title\":\"b\",\"todos\":[]}", _ann.Document.ToJson());
        _ann.Set(".", "{}");
        Exchange();
        Assert.Equal("{\"attrs\":{\"title\":null},\"people\":{\"Bob\":6},\"tasks\":[]}", _bob.Document.ToJson());
    }

    [Fact]
    public void A_reader_without_a_schema_of_its_own_follows_the_newest_that_was_used()
    {
        _ann.Set(".title", "\"a\"");
        using var cid = ShareWith(302);
        Assert.Equal("0.1.0", cid.Document.Schema.Version.ToString());
        Exchange();
        _bob.Set(".people[\"Ann\"]", "5");
        cid.Receive(_bob);
        Assert.Equal(Schema.Versions[1].List.Hash, cid.Document.Schema.List.Hash);
        Assert.Equal(_bob.Document.ToJson(), cid.Document.ToJson());
    }

    [Fact]
    public void A_replica_that_goes_up_down_and_up_again_across_restarts_loses_nothing()
    {
        using var store = new MemoryReplicaStore();
        T With<T>(int version, Func<Replica, T> use)
        {
            using var replica = new Replica(store, People.Ann, new SeededEntropy((ulong)(310 + version)));
            replica.UseSchema(UpTo(version));
            return use(replica);
        }

        var id = With(0, replica => replica.Create("x"));
        void Set(int version, string path, string json) => With(version, replica => replica.Author(id, author => author.Edit(edit => edit.Set(path, Json.Parse(json)))));
        Set(0, ".", "{\"title\":\"a\",\"old\":1,\"todos\":[{\"text\":\"milk\"}]}");
        Set(1, ".tasks[0].done", "true");
        Set(0, ".todos[0].text", "\"bread\"");
        Set(0, ".old", "2");
        Set(1, ".people", "{\"Ann\":5}");
        Set(0, ".title", "\"b\"");
        Assert.Equal("{\"attrs\":{},\"old\":2,\"title\":\"b\",\"todos\":[{\"text\":\"bread\"}]}", With(0, replica => replica.Open(id).ToJson()));
        Assert.Equal("{\"attrs\":{\"title\":\"b\"},\"people\":{\"Ann\":5},\"tasks\":[{\"done\":true,\"text\":\"bread\"}]}", With(1, replica => replica.Open(id).ToJson()));
    }

    private Copy ShareWith(ulong seed)
    {
        _ann.Grant(People.Cid, Permission.Read);
        return _ann.Share(People.Cid, seed);
    }

    private void Exchange()
    {
        _ann.Receive(_bob);
        _bob.Receive(_ann);
    }

    private static TlfsSchema UpTo(int version) => new(Schema.Name, [.. Schema.Versions.Take(version + 1)]);
}
