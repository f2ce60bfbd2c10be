using CloudPeer.TestKit;
using CsCheck;
using Tlfs.Core.Crdt;
using Tlfs.Core.Ids;
using Xunit;

namespace Tlfs.Core.Tests.Crdt.Laws;

/// <summary>
/// Taking over what another replica holds is a join of sets of parts, complete in their causes or not: commutative, associative and idempotent. The
/// cases choose among histories made once.
/// </summary>
public sealed class JoinLaws
{
    private const int Cases = 10_000;

    private static readonly Lazy<List<Delta>[]> Histories =
        new(() => [.. Enumerable.Range(0, 200).Select(i => RandomHistory.Make(new((ulong)i + 5_000_000), (ulong)i, 8))]);

    [Fact]
    public void It_does_not_matter_who_joins_whom() => ForEach((entropy, history) =>
    {
        var (a, b) = (Some(entropy, history), Some(entropy, history));
        Assert.Equal(Join(a, b), Join(b, a));
    });

    [Fact]
    public void It_does_not_matter_who_is_joined_first() => ForEach((entropy, history) =>
    {
        var (a, b, c) = (Some(entropy, history), Some(entropy, history), Some(entropy, history));
        Assert.Equal(Join(RandomHistory.Shuffle(entropy, [.. a.Union(b)]), c), Join(a, RandomHistory.Shuffle(entropy, [.. b.Union(c)])));
    });

    [Fact]
    public void Joining_what_is_held_changes_nothing() => ForEach((entropy, history) =>
    {
        var a = Some(entropy, history);
        Assert.Equal(Join(a), Join(a, RandomHistory.Shuffle(entropy, a), a));
    });

    [Fact]
    public void Neither_order_nor_duplicates_of_deliveries_matter() => ForEach((entropy, history) =>
        Assert.Equal(Join(history), Join(RandomHistory.Shuffle(entropy, [.. history, .. Some(entropy, history)]))));

    /// <summary>A removal counts, other work arrives, and the removal turns out to be unauthorised: as if it had never been.</summary>
    [Fact]
    public void An_unauthorised_removal_is_undone_whenever_that_is_found_out() => ForEach((entropy, history) =>
    {
        var removals = history.FindAll(delta => delta.Operations.Any(operation => operation is Remove));
        if (removals.Count == 0) return;
        var removal = removals[entropy.Below(removals.Count)];
        var others = RandomHistory.Shuffle(entropy, [.. history.Where(delta => delta != removal)]);
        var (done, undone) = (entropy.Below(others.Length + 1), entropy.Below(others.Length + 1));
        var state = new DocumentState();
        for (var i = 0; i <= others.Length; i++)
        {
            if (i == Math.Min(done, undone)) Assert.True(state.Apply(removal.Id, 0, removal.Operations));
            if (i == Math.Max(done, undone)) Assert.True(state.Unapply(removal.Id, 0));
            if (i < others.Length) state.Apply(others[i].Id, 0, others[i].Operations);
        }

        Assert.Equal(Join(others), Sum(state));
    });

    /// <summary>Whatever a transaction did before the edit that is refused, nothing of it stays.</summary>
    [Fact]
    public void A_refused_transaction_changes_nothing()
    {
        var replicas = Histories.Value.Select((history, i) =>
        {
            var replica = new Replica(Schemas.Everything, 7_000_000 + (ulong)i);
            replica.Receive([.. history]);
            return (Replica: replica, Before: Sum(replica.State));
        }).ToArray();
        Gen.ULong.Sample(
            seed =>
            {
                var entropy = new SeededEntropy(seed);
                var (replica, before) = replicas[entropy.Below(replicas.Length)];
                var refusal = Assert.Throws<TlfsException>(() => replica.Edit(edit =>
                {
                    for (var left = entropy.Below(4); left > 0; left--) RandomEdit.TryApply(edit, entropy);
                    edit.Set(".nothing", Json.Parse("1"));
                }));
                Assert.Equal(Reason.PathNotFound, refusal.Reason);
                Assert.Equal(before, Sum(replica.State));
            },
            iter: Cases,
            threads: 1);
    }

    private static void ForEach(Action<SeededEntropy, List<Delta>> check) => Gen.ULong.Sample(
        seed =>
        {
            var entropy = new SeededEntropy(seed);
            check(entropy, Histories.Value[entropy.Below(Histories.Value.Length)]);
        },
        iter: Cases);

    // Any subset: a replica may hold an effect before its cause.
    private static Delta[] Some(SeededEntropy entropy, List<Delta> history) => RandomHistory.Shuffle(entropy, history.FindAll(_ => entropy.Below(3) > 0));

    private static (Bytes32 Hash, int Entries) Join(params IEnumerable<IEnumerable<Delta>> replicas)
    {
        var state = new DocumentState();
        foreach (var delta in replicas.SelectMany(held => held)) state.Apply(delta.Id, 0, delta.Operations);
        return Sum(state);
    }

    private static (Bytes32 Hash, int Entries) Sum(DocumentState state) => (state.StateHash(), state.EntryCount);
}
