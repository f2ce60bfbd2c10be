using CloudPeer.TestKit;
using Tlfs.Core.Documents;
using Tlfs.Core.Ids;
using Tlfs.Core.Policy;
using Tlfs.Core.Sealing;
using Tlfs.Core.Tests.Documents;
using Xunit;

namespace Tlfs.Core.Tests.Regressions;

/// <summary>What a replica has in memory is what is stored, whatever fails and whoever else uses the _store.</summary>
public sealed class ReplicaTests : IDisposable
{
    private readonly Copy _ann = Copy.Begin(People.Ann, 140);
    private readonly Copy _bob;
    private readonly MemoryStore _store = new();

    // Ann's document, shared with Bob, in a store that holds what she has.
    public ReplicaTests()
    {
        _ann.Grant(People.Bob, Permission.Write);
        _bob = _ann.Share(People.Bob, 141);
        _store.AddDocument(Id);
        _store.Append(Id, [.. _ann.All]);
    }

    private DocId Id => _ann.Document.Id;

    public void Dispose()
    {
        _ann.Dispose();
        _bob.Dispose();
        _store.Dispose();
    }

    [Fact]
    public void What_waited_in_one_process_for_what_another_one_stored_is_stored_too()
    {
        using var first = new Replica(_store, People.Ann, new SeededEntropy(141));
        using var second = new Replica(_store, People.Ann, new SeededEntropy(142));
        Envelope[] made = [_bob.Set(".title", "\"one\""), _bob.Set(".title", "\"two\"")];
        Assert.Equal(EnvelopeStatus.Pending, second.Receive(Id, [made[1]])[0].Status);
        first.Receive(Id, [made[0]]);
        second.Author(Id, author => author.Edit(edit => edit.Set(".title", Core.Crdt.Json.Parse("\"three\""))));
        second.Receive(Id, []);
        AssertStored(second);
        Assert.Contains(second.Open(Id).Log, held => held.Envelope.Id == made[1].Id);
    }

    [Fact]
    public void What_waited_for_an_envelope_that_is_made_here_is_stored_once_it_is_held()
    {
        using var replica = new Replica(_store, People.Ann, new SeededEntropy(144));
        var early = new Draft(Id, 1, default, [], [_ann.Document.Log[0].Envelope.Id], null)
            .SignStatement(People.Dan.Device, new Renounce(_ann.Document.Log[0].Envelope.Id.Grant).Encode());
        Assert.Equal(Outcome.Pending(Reason.AuthorUnknown), replica.Receive(Id, [early])[0]);
        replica.Author(Id, author => author.Grant(People.Dan.Card.Actor, Permission.Read));
        AssertStored(replica);
        replica.Receive(Id, []);
        AssertStored(replica);
        Assert.Contains(replica.Open(Id).Log, held => held.Envelope.Id == early.Id);
    }

    [Fact]
    public void A_reading_that_failed_in_the_middle_is_made_up_for()
    {
        using var replica = new Replica(_store, People.Ann, new SeededEntropy(146));
        _store.FailAfter = 2;
        Assert.Throws<IOException>(() => replica.Open(Id));
        Assert.Equal(_store.Count, replica.Open(Id).Log.Count);
    }

    [Fact]
    public void A_store_that_lost_an_envelope_is_refused()
    {
        _store.Lose(1);
        using var replica = new Replica(_store, People.Ann, new SeededEntropy(148));
        for (var time = 0; time < 2; time++)
            Assert.Equal(Reason.InputOutput, Assert.Throws<TlfsException>(() => replica.Open(Id)).Reason);
    }

    [Fact]
    public void A_document_that_another_process_removed_is_gone()
    {
        using var first = new Replica(_store, People.Ann, new SeededEntropy(150));
        using var second = new Replica(_store, People.Ann, new SeededEntropy(151));
        first.Open(Id);
        second.Remove(Id);
        var refused = Assert.Throws<TlfsException>(() => first.Author(
            Id, author => author.Edit(edit => edit.Set(".title", Core.Crdt.Json.Parse("\"x\"")))));
        Assert.Equal(Reason.DocumentNotFound, refused.Reason);
        Assert.Equal(0, _store.Count);
    }

    private void AssertStored(Replica replica)
    {
        using var reader = new Replica(_store, People.Ann, new SeededEntropy(1));
        Assert.Equal(
            replica.Open(Id).Log.Select(held => held.Envelope.Id).Order(),
            reader.Open(Id).Log.Select(held => held.Envelope.Id).Order());
    }
}
