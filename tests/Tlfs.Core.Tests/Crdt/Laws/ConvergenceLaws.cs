using CloudPeer.TestKit;
using Tlfs.Core.Crdt;
using Xunit;

namespace Tlfs.Core.Tests.Crdt.Laws;

/// <summary>Replicas that hold the same parts have the same state, whatever the order (docs/protocol/operations.md §4).</summary>
public sealed class ConvergenceLaws
{
    private const int Schedules = 10_000;

    [Fact]
    public void Replicas_converge_whatever_the_schedule() => Parallel.For(0, Schedules, seed => Run(new SeededEntropy((ulong)seed), (ulong)seed));

    [Fact]
    public void The_state_is_a_function_of_the_set_of_parts() => Parallel.For(0, 2_000, seed =>
    {
        var entropy = new SeededEntropy((ulong)seed + 1_000_000);
        var deltas = RandomHistory.Make(entropy, (ulong)seed);
        var one = new DocumentState();
        foreach (var delta in deltas) one.Apply(delta.Id, 0, delta.Operations);

        var other = new DocumentState();
        foreach (var delta in RandomHistory.Shuffle(entropy, deltas))
        {
            Assert.True(other.Apply(delta.Id, 0, delta.Operations));
            Assert.False(other.Apply(delta.Id, 0, delta.Operations));
        }

        Assert.Equal((one.StateHash(), one.EntryCount), (other.StateHash(), other.EntryCount));
    });

    [Fact]
    public void Taking_parts_back_gives_the_state_without_them() => Parallel.For(0, 2_000, seed =>
    {
        var entropy = new SeededEntropy((ulong)seed + 2_000_000);
        var deltas = RandomHistory.Make(entropy, (ulong)seed);
        var state = new DocumentState();
        foreach (var delta in RandomHistory.Shuffle(entropy, deltas)) state.Apply(delta.Id, 0, delta.Operations);
        var withdrawn = deltas.Where(_ => entropy.Below(2) == 0).ToHashSet();
        foreach (var delta in RandomHistory.Shuffle(entropy, [.. withdrawn])) Assert.True(state.Unapply(delta.Id, 0));

        var without = new DocumentState();
        foreach (var delta in deltas.Where(delta => !withdrawn.Contains(delta))) without.Apply(delta.Id, 0, delta.Operations);
        Assert.Equal((without.StateHash(), without.EntryCount), (state.StateHash(), state.EntryCount));
        Assert.Equal(JsonView.Text(Schemas.Everything.View, without), JsonView.Text(Schemas.Everything.View, state));

        foreach (var delta in RandomHistory.Shuffle(entropy, [.. deltas.Except(withdrawn)])) state.Unapply(delta.Id, 0);
        Assert.Equal(new DocumentState().StateHash(), state.StateHash());
        Assert.Equal(0, state.KnownCount);
    });

    [Fact]
    public void A_transaction_leaves_no_trace_in_the_state() => Parallel.For(0, 1_000, seed =>
    {
        var entropy = new SeededEntropy((ulong)seed + 3_000_000);
        var replica = new Replica(Schemas.Everything, (ulong)seed);
        for (var i = 0; i < 6; i++) RandomEdit.Make(replica, entropy);
        var before = replica.State.StateHash();
        using (var edit = new Transaction(replica.State, Schemas.Everything.View, entropy))
        {
            for (var i = 0; i < 6; i++) Refusable(() => RandomEdit.Apply(edit, entropy), replica);
        }

        Assert.Equal(before, replica.State.StateHash());
    });

    /// <summary>Up to four replicas edit, and deliver each other's deltas late, twice and out of order; in the end each gets all.</summary>
    private static void Run(SeededEntropy entropy, ulong seed)
    {
        var replicas = Enumerable.Range(0, 2 + entropy.Below(3)).Select(i => new Replica(Schemas.Everything, (seed * 8) + (ulong)i)).ToList();
        var deltas = new List<Delta> { RandomEdit.Begin(replicas) };
        for (var step = 0; step < 12; step++)
        {
            var replica = replicas[entropy.Below(replicas.Count)];
            if (entropy.Below(2) == 0 && RandomEdit.Make(replica, entropy) is { } delta) deltas.Add(delta);
            else replica.Receive(deltas[entropy.Below(deltas.Count)]);
        }

        foreach (var replica in replicas) replica.Receive(RandomHistory.Shuffle(entropy, deltas).AsSpan());
        Assert.Single(replicas.Select(replica => (replica.State.StateHash(), replica.State.EntryCount, replica.Json, replica.Show(".", true))).Distinct());
    }

    private static void Refusable(Action edit, Replica replica)
    {
        var before = replica.State.StateHash();
        try
        {
            edit();
        }
        catch (TlfsException)
        {
            Assert.Equal(before, replica.State.StateHash());
        }
    }
}
