using CloudPeer.TestKit;
using Tlfs.Core.Crypto;
using Tlfs.Core.Documents;
using Tlfs.Core.Ids;
using Tlfs.Core.Policy;
using Tlfs.Core.Sealing;
using Xunit;

namespace Tlfs.Core.Tests.Documents;

/// <summary>Row S12: an author who signs two envelopes with one number (docs/protocol/statements.md §4.11). Ann owns, Bob forks, Cid and Dan read along.</summary>
public sealed class ForkTests : IDisposable
{
    private readonly Copy _ann = Copy.Begin(People.Ann, 500);
    private readonly List<Envelope> _shared;
    private readonly Copy _bob;
    private readonly Copy _twin;

    public ForkTests()
    {
        _ann.Grant(People.Bob, Permission.Write);
        _ann.Grant(People.Cid, Permission.Write);
        _ann.Grant(People.Dan, Permission.Read);
        _bob = _ann.Share(People.Bob, 501);
        _bob.Set(".title", "\"before\"");
        _ann.Receive(_bob);
        _twin = _ann.Share(People.Bob, 502);
        _shared = [.. _ann.All];
    }

    [Fact]
    public void S12_Both_branches_are_held_and_the_first_counts_until_it_is_proven()
    {
        var (one, two) = Fork();
        Assert.Equal(Outcome.Applied, _ann.Receive([one[0]])[0]);
        Assert.Equal((EnvelopeStatus.Void, Reason.Equivocation), Told(_ann.Receive([two[0]])[0]));
        Assert.Equal("\"one 0\"", _ann.Document.ToJson(".title"));
        Assert.Equal([(one[0].Id, two[0].Id)], _ann.Document.Equivocations.Select(pair => (pair.First.Id, pair.Second.Id)));

        var proof = Assert.Single(_ann.Make(author => author.StateEquivocations()));
        Assert.Equal((EnvelopeStatus.Void, Reason.Equivocation), Told(_ann.OutcomeOf(one[0])));
        Assert.Equal("\"before\"", _ann.Document.ToJson(".title"));
        Assert.Equal(one[0].Header.Seq, _ann.Document.Policy.Frozen(People.Bob.Device.Public));
        Assert.Empty(_ann.Make(author => author.StateEquivocations()));
        Assert.True(_ann.OutcomeOf(proof).Status == EnvelopeStatus.Applied);
    }

    [Fact]
    public void S12_The_proof_verifies_from_its_bytes_alone_and_a_forged_one_is_refused()
    {
        var (one, two) = Fork();
        var right = ForkProof.Of(one[0], two[0]);
        Assert.True(Decodes(right));
        var broken = right.Second.Signature.ToArray();
        broken[5] ^= 1;
        Equivocation[] forged =
        [
            right with { Second = right.First },
            right with { Second = right.Second with { Signature = broken } },
            right with { First = right.First with { Signature = broken } },
            right with { Second = Signed(one[1]) },
            right with { Second = Signed(_shared[^1]) },
            right with { Second = right.Second with { Header = right.Second.Header[..^1] } },
            right with { First = new(right.First.Header, right.Second.Signature), Second = new(right.Second.Header, right.First.Signature) },
            right with { Second = Signed(Again(two[0], header => header with { Document = new(People.Ann.Device.Public.Value) }, People.Bob)) },
            right with { Second = Signed(Again(two[0], header => header with { Author = People.Cid.Device.Public }, People.Cid)) },
        ];
        Assert.All(forged, proof => Assert.False(Decodes(proof)));
        Assert.Throws<ArgumentException>(() => ForkProof.Of(one[0], one[1]));

        // Right, but of another document: nothing follows from it here.
        Envelope[] foreign = [.. new[] { one[0], two[0] }.Select(each => Again(each, header => header with { Document = new(People.Ann.Device.Public.Value) }, People.Bob))];
        var held = _ann.Document.Receive(Sign(_ann, ForkProof.Of(foreign[0], foreign[1])));
        Assert.Equal(Reason.NotAuthorised, held.Reason);
        Assert.Null(_ann.Document.Policy.Frozen(People.Bob.Device.Public));
    }

    [Fact]
    public void S12_Only_an_owner_settles_and_what_the_author_writes_then_counts()
    {
        var (one, two) = Fork();
        _ann.Receive(one.Concat(two));
        _ann.Make(author => author.StateEquivocations());
        using var cid = _ann.Share(People.Cid, 510);
        Assert.Equal(Reason.NotAuthorised, Refused(() => cid.Make(author => author.Settle(People.Bob.Device.Public, two[^1].Id))));
        Assert.Equal(Reason.NothingToDo, Refused(() => _ann.Make(author => author.Settle(People.Cid.Device.Public, two[^1].Id))));
        Assert.Equal(Reason.NothingToDo, Refused(() => _ann.Make(author => author.Settle(People.Bob.Device.Public, _shared[0].Id))));

        var bundle = _ann.Make(author => author.Settle(People.Bob.Device.Public, two[^1].Id));
        Assert.Equal(2, bundle.Count);
        Assert.Equal("\"two 2\"", _ann.Document.ToJson(".title"));
        Assert.All(two, envelope => Assert.Equal(Outcome.Applied, _ann.OutcomeOf(envelope)));
        Assert.All(one, envelope => Assert.Equal((EnvelopeStatus.Void, Reason.Equivocation), Told(_ann.OutcomeOf(envelope))));

        _twin.Receive(_ann);
        var later = _twin.Set(".title", "\"settled\"");
        Assert.Equal(Outcome.Applied, _ann.Receive([later])[0]);
        Assert.Equal("\"settled\"", _ann.Document.ToJson(".title"));
        cid.Receive(_ann);
        Assert.Equal(_ann.Document.StateHash, cid.Document.StateHash);
    }

    /// <summary>Whoever held which branch, and in whatever causal order the rest arrives, all are equal once the proof is out, and again once it is settled.</summary>
    [Fact]
    public void S12_Replicas_with_different_branches_become_equal_in_any_order()
    {
        var (one, two) = Fork();
        for (var seed = 0UL; seed < 24; seed++)
        {
            var entropy = new SeededEntropy(600 + seed);
            using var owner = new Copy(People.Ann, _ann.Document.Id, 700 + seed);
            using var cid = new Copy(People.Cid, _ann.Document.Id, 800 + seed);
            using var dan = new Copy(People.Dan, _ann.Document.Id, 900 + seed);
            foreach (var copy in (Copy[])[owner, cid, dan]) copy.Receive(_shared);
            owner.Receive(one.Take(1 + (int)(seed % 3)));
            cid.Receive(two);
            var served = (owner.Set(".title", "\"ann goes on\""), cid.Set(".title", "\"cid goes on\""));
            Assert.NotEqual(owner.Document.StateHash, cid.Document.StateHash);

            dan.Receive(seed % 2 == 0 ? owner : cid);
            dan.Receive(seed % 2 == 0 ? cid : owner);
            var proof = dan.Make(author => author.StateEquivocations());
            Assert.Single(proof);
            Shuffle(dan.All.Where(each => owner.Document.Find(each.Id) is null), entropy, owner);
            Shuffle(dan.All.Where(each => cid.Document.Find(each.Id) is null), entropy, cid);
            Equal(owner, cid, dan);
            Assert.Equal(one[0].Header.Seq, cid.Document.Policy.Frozen(People.Bob.Device.Public));

            var (surviving, losing) = seed % 4 < 2 ? (one[..(1 + (int)(seed % 3))], two) : (two, one);
            var bundle = owner.Make(author => author.Settle(People.Bob.Device.Public, surviving[^1].Id));
            Shuffle(bundle, entropy, dan);
            Shuffle(owner.All.Where(each => cid.Document.Find(each.Id) is null), entropy, cid);
            Equal(owner, cid, dan);
            Assert.All(surviving, envelope => Assert.Equal(Outcome.Applied, dan.OutcomeOf(envelope)));
            Assert.All(losing.Where(each => dan.Document.Find(each.Id) is not null), envelope => Assert.Equal(EnvelopeStatus.Void, dan.OutcomeOf(envelope).Status));
            Assert.Equal((Outcome.Applied, Outcome.Applied), (dan.OutcomeOf(served.Item1), dan.OutcomeOf(served.Item2)));

            // Who comes new and gets all in any order agrees.
            using var late = new Copy(People.Cid, _ann.Document.Id, 1_000 + seed);
            Shuffle(owner.All, entropy, late);
            Assert.Equal(0, late.Document.PendingCount);
            Equal(owner, late);
        }
    }

    [Fact]
    public void What_waited_and_comes_again_with_what_it_waited_for_is_held_once()
    {
        var (one, _) = Fork();
        Assert.Equal(EnvelopeStatus.Pending, _ann.Receive([one[1]])[0].Status);
        _ann.Receive(one);
        Assert.Equal(_ann.All.Select(each => each.Id).Distinct(), _ann.All.Select(each => each.Id));
        Assert.Empty(_ann.Document.Equivocations);
        Assert.Equal(0, _ann.Document.PendingCount);
    }

    /// <summary>What is stored says the same when it is opened again, with and without a checkpoint.</summary>
    [Fact]
    public void S12_A_stored_document_keeps_its_branches_and_what_was_settled()
    {
        var (one, two) = Fork();
        using var store = new MemoryReplicaStore();
        using (var replica = new Replica(store, People.Ann, new SeededEntropy(520)))
        {
            replica.Join(_ann.Document.Id);
            replica.Receive(_ann.Document.Id, _shared);
            replica.Receive(_ann.Document.Id, [.. one, .. two]);
        }

        using (var replica = new Replica(store, People.Ann, new SeededEntropy(521)))
        {
            Assert.Single(replica.Open(_ann.Document.Id).Equivocations);
            replica.Author(_ann.Document.Id, author =>
            {
                author.StateEquivocations();
                return author.Settle(People.Bob.Device.Public, two[1].Id);
            });
            Assert.Equal("\"two 1\"", replica.Open(_ann.Document.Id).ToJson(".title"));
        }

        using var again = new Replica(store, People.Ann, new SeededEntropy(522));
        Assert.Equal("\"two 1\"", again.Open(_ann.Document.Id).ToJson(".title"));
        Assert.Equal(two[1].Id, again.Open(_ann.Document.Id).Policy.Survivor(People.Bob.Device.Public)!.Value.Envelope);
    }

    public void Dispose()
    {
        _ann.Dispose();
        _bob.Dispose();
        _twin.Dispose();
    }

    private (Envelope[] One, Envelope[] Two) Fork() => (
        [.. Enumerable.Range(0, 3).Select(i => _bob.Set(".title", $"\"one {i}\""))],
        [.. Enumerable.Range(0, 3).Select(i => _twin.Set(".title", $"\"two {i}\""))]);

    private static void Equal(params Copy[] copies)
    {
        Assert.Single(copies.Select(copy => copy.Document.StateHash).Distinct());
        Assert.Single(copies.Select(copy => string.Join('\n', copy.Document.Policy.Grants.Select(grant => $"{grant.Id} {grant.Ruling} {grant.EndedBy}").Order(StringComparer.Ordinal))).Distinct(StringComparer.Ordinal));
    }

    private static void Shuffle(IEnumerable<Envelope> envelopes, SeededEntropy entropy, Copy to)
    {
        var rest = envelopes.ToList();
        while (rest.Count > 0)
        {
            var at = entropy.Bytes(1)[0] % rest.Count;
            to.Receive([rest[at]]);
            rest.RemoveAt(at);
        }
    }

    private static (EnvelopeStatus Status, Reason? Reason) Told(Outcome outcome) => (outcome.Status, outcome.Reason);

    private static Reason Refused(Action act) => Assert.Throws<TlfsException>(act).Reason;

    private static SignedHeader Signed(Envelope envelope) => new(envelope.HeaderBytes, envelope.Signature);

    private static bool Decodes(Equivocation proof) => Statement.TryDecode(proof.Encode(), AccountCard.Verify, ForkProof.Verify, out _, out _);

    private static Envelope Again(Envelope envelope, Func<EnvelopeHeader, EnvelopeHeader> change, AccountKeys author) =>
        Envelope.Sign(author.Device, change(envelope.Header), default, [envelope.Part(0).ToArray()]);

    private static Envelope Sign(Copy copy, Statement statement)
    {
        var last = copy.Document.Log.Last(held => held.Envelope.Header.Author == copy.Own.Device.Public).Envelope;
        return new Draft(copy.Document.Id, last.Header.Seq + 1, last.Id, [], Heads(copy), null)
            .SignStatement(copy.Own.Device, statement.Encode());
    }

    private static EnvelopeId[] Heads(Copy copy)
    {
        var statements = copy.Document.Log.Where(held => held.Statement is not null).Select(held => held.Envelope).ToArray();
        return [.. statements.Select(each => each.Id).Except(statements.SelectMany(each => each.Header.Auth)).Order()];
    }
}
