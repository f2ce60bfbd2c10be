using Tlfs.Core.Ids;
using Tlfs.Core.Policy;
using Xunit;
using static Tlfs.Core.Tests.Policy.Scene;

namespace Tlfs.Core.Tests.Policy;

/// <summary>Row S12, as far as statements go: authors who sign two envelopes with one number (docs/protocol/statements.md §4.11).</summary>
public sealed class ForkTests
{
    private static readonly SignedHeader Nothing = new(ReadOnlyMemory<byte>.Empty, ReadOnlyMemory<byte>.Empty);
    private readonly Scene _scene = new();
    private readonly GrantId _bob;

    public ForkTests() => _bob = _scene.Grant(Alice, _scene.Genesis, Bob, Permission.Own);

    [Fact]
    public void S12_Statements_from_the_fork_on_are_not_structural_and_nothing_rests_on_them()
    {
        var before = _scene.Grant(Bob, _bob, Carol, Permission.Control);
        var after = _scene.Grant(Bob, _bob, Dave, Permission.Control);
        var resting = _scene.Grant(Dave, after, Peer("eve"), Permission.Write);
        var revocation = _scene.Revoke(Bob, _bob, before);
        Assert.True(_scene.View.May(Peer("eve"), Permission.Write) && !_scene.View.May(Carol, Permission.Write));

        State(Carol, Bob, 2);
        Assert.Equal(2UL, _scene.View.Frozen(Bob));
        Assert.Equal((Verdict.Counts, Verdict.Frozen, Verdict.RestsOnMalformed), (_scene.VerdictOf(before), _scene.VerdictOf(after), _scene.VerdictOf(resting)));
        Assert.False(_scene.IsEffective(revocation));
        Assert.True(_scene.View.May(Carol, Permission.Write) && !_scene.View.May(Peer("eve"), Permission.Write));
        Assert.Equal(Verdict.Frozen, _scene.Judge(Bob, new Grant(new PeerActor(Dave), Permission.Read, ZoneId.Root, _bob)).Verdict);

        State(Carol, Bob, 1);
        Assert.Equal((1UL, Verdict.Frozen), (_scene.View.Frozen(Bob)!.Value, _scene.VerdictOf(before)));
    }

    [Fact]
    public void S12_Whoever_is_named_may_state_it_once_and_not_without_end()
    {
        _scene.Grant(Alice, _scene.Genesis, Carol, Permission.Sync);
        Assert.True(_scene.Judge(Carol, Proof(Bob, 1)).Counts);
        State(Carol, Bob, 1);
        Assert.Equal(Verdict.TooManyProofs, _scene.Judge(Carol, Proof(Bob, 1)).Verdict);
        Assert.True(_scene.Judge(Dave, Proof(Bob, 1)).Counts);
        Assert.Equal(Verdict.NoFork, _scene.Judge(Carol, Proof(Authority, 1)).Verdict);
        Assert.Equal(Verdict.NoFork, _scene.Judge(Carol, new Equivocation(Nothing, Nothing, new(new(Bob.Value), Bob, 1))).Verdict);
        for (var seq = 2UL; seq <= Limits.ProofsPerAuthor; seq++) State(Carol, Bob, seq);
        Assert.Equal(Verdict.TooManyProofs, _scene.Judge(Carol, Proof(Dave, 1)).Verdict);
    }

    [Fact]
    public void S12_A_proof_counts_whoever_stated_it()
    {
        State(Carol, Bob, 1);
        State(Bob, Carol, 1);
        Assert.Equal((1UL, 1UL), (_scene.View.Frozen(Bob)!.Value, _scene.View.Frozen(Carol)!.Value));
    }

    [Theory]
    [InlineData(2UL, "bob 2", null, true)]
    [InlineData(3UL, "bob 3", "bob 5", false)]
    [InlineData(3UL, "bob 3", "fork 5", true)]
    [InlineData(3UL, "bob 3", null, false)]
    [InlineData(5UL, "fork 5", null, true)]
    [InlineData(5UL, "bob 5", null, false)]
    [InlineData(6UL, "fork 6", "fork 5", true)]
    [InlineData(6UL, "bob 6", "bob 5", false)]
    public void S12_Only_the_named_branch_counts_after_the_release(ulong seq, string id, string? heldAtCut, bool counts)
    {
        var fork = State(Carol, Bob, 3);
        Assert.Equal(seq < 3, Judge(seq, id, heldAtCut, [_bob.Envelope]).Counts);
        _scene.Revoke(Alice, _scene.Genesis, _bob, [_bob.Envelope, fork], new Cut(Bob, 5, Envelope("fork 5")));
        var again = _scene.Grant(Alice, _scene.Genesis, Bob, Permission.Write);
        Assert.Equal(new Cut(Bob, 5, Envelope("fork 5")), _scene.View.Survivor(Bob));
        Assert.Equal(counts, Judge(seq, id, heldAtCut, seq > 5 ? [again.Envelope] : [_bob.Envelope]).Counts);
        if (seq > 3) Assert.Equal(counts && seq == 5, Judge(seq, id, heldAtCut, [_bob.Envelope]).Counts);

        // Another fork above needs another release.
        State(Carol, Bob, 6);
        Assert.Equal(counts && seq < 6, Judge(seq, id, heldAtCut, seq > 5 ? [again.Envelope] : [_bob.Envelope]).Counts);
    }

    [Fact]
    public void S12_A_revocation_that_had_not_seen_the_proof_or_is_no_owners_releases_nothing()
    {
        var dave = _scene.Grant(Alice, _scene.Genesis, Dave, Permission.Control);
        var carol = _scene.Grant(Alice, _scene.Genesis, Carol, Permission.Write);
        var unseen = _scene.Set.Heads;
        var fork = State(Dave, Carol, 1);
        _scene.Revoke(Alice, _scene.Genesis, carol, unseen, new Cut(Carol, 5, Envelope("carol 5")));
        Assert.Null(_scene.View.Survivor(Carol));
        Assert.True(_scene.IsEffective(_scene.Revoke(Dave, dave, carol, null, new Cut(Carol, 5, Envelope("carol 5")))));
        Assert.Null(_scene.View.Survivor(Carol));
        _scene.Revoke(Alice, _scene.Genesis, carol, [.. unseen, fork], new Cut(Carol, 5, Envelope("carol 5")));
        Assert.NotNull(_scene.View.Survivor(Carol));
    }

    /// <summary>Whatever the order and however often it is evaluated on the way, the same statements mean the same.</summary>
    [Fact]
    public void S12_Any_order_of_proofs_and_statements_means_the_same() => Dice.ForEach(2_000, dice =>
    {
        var world = World.Random(dice, seniority: false, 12);
        var proofs = Enumerable.Range(0, dice.Between(1, 3)).Select(i =>
        {
            var accused = World.PeerOf(dice.Pick([.. World.Peers]));
            var fork = new Fork(World.Document, accused, (ulong)dice.Between(1, 4));
            return new PolicyStatement(new(dice.Bytes32()), World.Document, World.PeerOf('A'), (ulong)dice.Between(1, 4), [], new Equivocation(Nothing, Nothing, fork));
        }).ToList();
        var (first, other) = (new PolicySet(World.Document), new PolicySet(World.Document));
        foreach (var statement in proofs.Concat(world.Statements())) first.Add(statement);
        var late = new Queue<PolicyStatement>(proofs);
        foreach (var statement in world.Statements())
        {
            if (dice.Percent(20) && late.TryDequeue(out var proof)) other.Add(proof);
            other.Add(statement);
            if (dice.Percent(50)) other.Evaluate();
        }

        while (late.TryDequeue(out var proof)) other.Add(proof);
        string Text(PolicySet set) => string.Join('\n', set.Evaluate().Grants.Select(grant => $"{grant.Id} {grant.Ruling} {grant.EndedBy}").Order(StringComparer.Ordinal));
        Assert.Equal(Text(first), Text(other));
        Assert.Equal(first.Heads, other.Heads);
        return first.Evaluate().Grants.Any(grant => grant.Ruling.Verdict == Verdict.Frozen);
    });

    private EnvelopeId State(PeerId by, PeerId author, ulong seq) => _scene.Add(by, Proof(author, seq));

    private static Equivocation Proof(PeerId author, ulong seq) => new(Nothing, Nothing, new(Document, author, seq));

    private Ruling Judge(ulong seq, string id, string? heldAtCut, IReadOnlyList<EnvelopeId> auth) => _scene.View.Judge(
        Bob, seq, Envelope(id), auth, Permission.Write, (author, at) => author == Bob && at == 5 && heldAtCut is not null ? Envelope(heldAtCut) : null);
}
