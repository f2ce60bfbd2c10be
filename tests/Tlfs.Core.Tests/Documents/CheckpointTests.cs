using System.Text.Json;
using CloudPeer.TestKit;
using Tlfs.Core.Documents;
using Tlfs.Core.Ids;
using Tlfs.Core.Policy;
using Xunit;
using ReplicaOf = Tlfs.Core.Documents.Replica;

namespace Tlfs.Core.Tests.Documents;

/// <summary>A replica that opens from a checkpoint is the replica that replays its history.</summary>
public sealed class CheckpointTests : IDisposable
{
    private readonly MemoryReplicaStore _store = new();
    private readonly SeededEntropy _entropy = new(7);
    private readonly DocId _id;

    public CheckpointTests()
    {
        using var replica = Open();
        _id = replica.Create("todoapp");
        for (var i = 0; i < 40; i++) Fill(replica, i);
    }

    public void Dispose() => _store.Dispose();

    [Fact]
    public void A_document_opens_from_a_checkpoint_as_it_was()
    {
        var (hash, json, log) = Replayed();
        Assert.NotNull(_store.Checkpoint(_id));
        using var replica = Open();
        Assert.Equal((hash, json, log), See(replica));
    }

    [Fact]
    public void Opening_reads_few_of_the_pages()
    {
        using var counting = new CountingStore(_store);
        using var replica = new ReplicaOf(counting, People.Ann, _entropy);
        replica.UseSchema(Schemas.TourPackage);
        Assert.Equal(40, replica.Open(_id).EntryCount / 2);
        Assert.StartsWith("\"39", replica.Open(_id).ToJson(".tasks[0].title"), StringComparison.Ordinal);
        Assert.InRange(counting.PagesRead, 1, _store.Pages.Count / 3);
        Assert.InRange(counting.EnvelopesRead, 0, 25);
    }

    [Fact]
    public void What_is_written_and_taken_back_after_a_checkpoint_is_as_without_one()
    {
        GrantId grant;
        using (var replica = Open())
        {
            grant = replica.Author(_id, author => author.Grant(People.Bob.Card.Actor, Permission.Write));
        }

        using var bobs = new MemoryReplicaStore();
        using (var bob = new ReplicaOf(bobs, People.Bob, _entropy))
        {
            bob.UseSchema(Schemas.TourPackage);
            bob.Join(_id);
            using (var replica = Open()) bob.Receive(_id, [.. replica.Open(_id).Log.Select(held => held.Envelope)]);
            for (var i = 0; i < 20; i++) Fill(bob, 100 + i);
            using (var replica = Open())
            {
                // Bob's edits arrive, are part of a checkpoint, and turn out to be void: Ann had revoked the grant before.
                replica.Author(_id, author => author.Revoke(grant));
                replica.Receive(_id, [.. bob.Open(_id).Log.Select(held => held.Envelope)]);
            }
        }

        using var opened = Open();
        Assert.Equal(20, opened.Open(_id).Log.Count(held => held.Outcome.Reason == Reason.NotAuthorised));
        Assert.Equal(Replayed(), See(opened));
        Assert.DoesNotContain("\"100", opened.Open(_id).ToJson(), StringComparison.Ordinal);
    }

    // Not all of them stay in memory until the last one is open.
    [Fact]
    public void A_key_that_comes_after_many_envelopes_opens_them_all()
    {
        using var replica = Open();
        for (var i = 0; i < 200; i++) Fill(replica, 100 + i);
        replica.Author(_id, author => author.Grant(People.Bob.Card.Actor, Permission.Read));
        using var store = new MemoryReplicaStore();
        using var bob = new ReplicaOf(store, People.Bob, _entropy);
        bob.UseSchema(Schemas.TourPackage);
        bob.Join(_id);
        foreach (var some in replica.Open(_id).Log.Select(held => held.Envelope).Chunk(50)) bob.Receive(_id, some);
        Assert.DoesNotContain(bob.Open(_id).Log, held => held.Outcome.Status != EnvelopeStatus.Applied);
        Assert.Equal(replica.Open(_id).StateHash, bob.Open(_id).StateHash);
    }

    [Fact]
    public void Edits_in_a_checkpoint_are_taken_back_when_their_author_is_revoked()
    {
        GrantId grant;
        using (var replica = Open()) grant = replica.Author(_id, author => author.Grant(People.Bob.Card.Actor, Permission.Write));
        using var bobs = new MemoryReplicaStore();
        using var bob = new ReplicaOf(bobs, People.Bob, _entropy);
        bob.UseSchema(Schemas.TourPackage);
        bob.Join(_id);
        IReadOnlyList<Core.Sealing.Envelope> revocation;
        using (var other = new MemoryReplicaStore())
        using (var replica = Open())
        {
            var before = replica.Open(_id).Log.Select(held => held.Envelope).ToArray();
            bob.Receive(_id, before);
            for (var i = 0; i < 20; i++) Fill(bob, 100 + i);

            // Ann's other process has not seen Bob's edits, and cuts them off.
            using var elsewhere = new Document(_id, People.Ann);
            elsewhere.Receive(before);
            var author = new DocumentAuthor(elsewhere, _entropy);
            author.Revoke(grant);
            revocation = author.Bundle;
            replica.Receive(_id, [.. bob.Open(_id).Log.Select(held => held.Envelope)]);
            Assert.Contains("\"100", replica.Open(_id).ToJson(), StringComparison.Ordinal);
        }

        using var opened = Open();
        opened.Receive(_id, revocation);
        Assert.DoesNotContain("\"100", opened.Open(_id).ToJson(), StringComparison.Ordinal);
        Assert.Equal(Replayed(), See(opened));
    }

    [Fact]
    public void A_second_process_goes_on_when_the_first_has_made_a_checkpoint()
    {
        using var first = Open();
        using var second = Open();
        Assert.Equal(See(first), See(second));
        for (var i = 0; i < 60; i++) Fill(first, 200 + i);
        Assert.Equal(See(first), See(second));
        for (var i = 0; i < 60; i++) Fill(second, 300 + i);
        Assert.Equal(See(second), See(first));
        Assert.Equal(Replayed(), See(first));
    }

    [Fact]
    public void A_damaged_checkpoint_is_dropped_and_the_document_is_intact()
    {
        var expected = Replayed();
        foreach (var page in _store.Pages.Values) page[^1] ^= 1;
        using var replica = Open();
        Assert.Equal(Reason.InputOutput, Assert.Throws<TlfsException>(() => replica.Author(_id, author => author.Edit(edit => edit.Set(".title", Json("1"))))).Reason);
        Assert.Null(_store.Checkpoint(_id));
        Assert.Equal(expected, See(replica));
    }

    private static (Bytes32 Hash, string Json, string Log) See(ReplicaOf replica)
    {
        var document = replica.Open(replica.Documents[0]);
        return (document.StateHash, document.ToJson(), string.Join('\n', document.Log.Select(held => (held.Envelope.Id, held.Outcome).ToString()).Order(StringComparer.Ordinal)));
    }

    // The same envelopes without any checkpoint.
    private (Bytes32 Hash, string Json, string Log) Replayed()
    {
        using var copy = new MemoryReplicaStore();
        copy.Write(writer =>
        {
            writer.AddDocument(_id);
            foreach (var stored in _store.Envelopes(_id, 0))
            {
                Assert.True(Core.Sealing.Envelope.TryDecode(stored.Bytes, out var envelope, out _));
                writer.Append(_id, [envelope]);
            }

            return true;
        });
        using var replica = new ReplicaOf(copy, People.Ann, _entropy);
        replica.UseSchema(Schemas.TourPackage);
        return See(replica);
    }

    private ReplicaOf Open()
    {
        var replica = new ReplicaOf(_store, People.Ann, _entropy);
        replica.UseSchema(Schemas.TourPackage);
        return replica;
    }

    // A task of some 12 KB, so that checkpoints become due.
    private static void Fill(ReplicaOf replica, int number) => replica.Author(
        replica.Documents[0],
        author => author.Edit(edit => edit.Insert(".tasks", 0, JsonSerializer.SerializeToElement(new { title = $"{number} {new string('x', 12_000)}" }))));

    private static JsonElement Json(string text) => Core.Crdt.Json.Parse(text);

    private sealed class CountingStore(IReplicaStore inner) : IReplicaStore
    {
        public int PagesRead { get; private set; }

        public int EnvelopesRead { get; private set; }

        public IReadOnlyList<DocId> Documents() => inner.Documents();

        public IEnumerable<StoredEnvelope> Envelopes(DocId document, long after) => inner.Envelopes(document, after).Select(stored =>
        {
            EnvelopesRead++;
            return stored;
        });

        public StoredEnvelope? Envelope(DocId document, long row)
        {
            EnvelopesRead++;
            return inner.Envelope(document, row);
        }

        public StoredCheckpoint? Checkpoint(DocId document) => inner.Checkpoint(document);

        public ReadOnlyMemory<byte>? Page(DocId document, long page)
        {
            PagesRead++;
            return inner.Page(document, page);
        }

        public IReadOnlyList<WithdrawnEdit> Withdrawn(DocId document) => inner.Withdrawn(document);

        public T Write<T>(Func<IReplicaWriter, T> work) => inner.Write(work);

        public void Dispose()
        {
        }
    }
}
