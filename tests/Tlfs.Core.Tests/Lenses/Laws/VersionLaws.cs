using CloudPeer.TestKit;
using CsCheck;
using Tlfs.Core.Crdt;
using Tlfs.Core.Lenses;
using Tlfs.Core.Tests.Crdt;
using Xunit;

namespace Tlfs.Core.Tests.Lenses.Laws;

/// <summary>Versions of a schema that are in use at the same time, seen from a document.</summary>
public sealed class VersionLaws
{
    private const int Cases = 10_000;

    /// <summary>A version, two later ones on branches of their own, and a seed for edits.</summary>
    private static readonly Gen<(LensList Shared, LensList Left, LensList Right, ulong Seed)> Branches = Gen.ULong.Select(seed =>
    {
        var entropy = new SeededEntropy(seed);
        var shared = RandomVersion.First(entropy);
        return (shared, RandomVersion.Later(shared, entropy), RandomVersion.Later(shared, entropy), seed);
    });

    [Fact]
    public void What_two_versions_both_show_is_the_same_in_both_whoever_edits()
    {
        var compared = 0;
        Branches.Sample(
        versions =>
        {
            var entropy = new SeededEntropy(versions.Seed);
            var replica = new Replica(versions.Left, versions.Seed);
            for (var step = 0; step < 6; step++)
            {
                replica.List = entropy.Below(2) == 0 ? versions.Left : versions.Right;
                AnyEdit.Make(replica, entropy);
            }

            var left = Places.Leaves(versions.Left, replica.State);
            var right = Places.Leaves(versions.Right, replica.State);
            foreach (var (place, value) in left)
            {
                if (!right.TryGetValue(place, out var other)) continue;
                Assert.Equal(value, other);
                if (value is not ("[]" or "false")) Interlocked.Increment(ref compared);
            }
        },
        iter: Cases);
        Assert.InRange(compared, Cases, int.MaxValue);
    }

    [Fact]
    public void A_document_that_another_version_only_reads_is_as_it_was() => Branches.Sample(
        versions =>
        {
            var entropy = new SeededEntropy(versions.Seed);
            var replica = new Replica(versions.Left, versions.Seed);
            for (var step = 0; step < 4; step++) AnyEdit.Make(replica, entropy);
            var (before, hash) = (replica.Json, replica.State.StateHash());
            replica.List = versions.Right;
            _ = replica.Show(allValues: true);
            replica.List = versions.Left;
            Assert.Equal((before, hash), (replica.Json, replica.State.StateHash()));
        },
        iter: Cases);

    [Fact]
    public void Edits_under_another_version_change_what_both_show_and_keep_what_it_hides()
    {
        var (changed, hidden) = (0, 0);
        Branches.Sample(
        versions =>
        {
            if (Places.Disagree(versions.Left, versions.Right)) return;
            var entropy = new SeededEntropy(versions.Seed);
            var replica = new Replica(versions.Left, versions.Seed);
            for (var step = 0; step < 4; step++) AnyEdit.Make(replica, entropy);
            var before = Places.Leaves(versions.Left, replica.State);
            replica.List = versions.Right;
            for (var step = 0; step < 4; step++) AnyEdit.Make(replica, entropy, leavesOnly: true);
            var right = Places.Leaves(versions.Right, replica.State);
            var after = Places.Leaves(versions.Left, replica.State);
            foreach (var (place, value) in before)
            {
                var shown = right.TryGetValue(place, out var other);
                Assert.Equal(shown ? other : value, after[place]);
                if (shown && !string.Equals(value, other, StringComparison.Ordinal)) Interlocked.Increment(ref changed);
                if (!shown && value is not ("[]" or "false")) Interlocked.Increment(ref hidden);
            }
        },
        iter: Cases);
        Assert.True(changed > Cases / 20 && hidden > Cases / 20, $"{changed} values were changed and {hidden} hidden: the law was hardly tried");
    }

    [Fact]
    public void Replicas_on_different_versions_converge_seen_from_either_in_any_order() => Branches.Sample(
        versions =>
        {
            var entropy = new SeededEntropy(versions.Seed);
            Replica[] replicas = [new(versions.Left, versions.Seed), new(versions.Right, ~versions.Seed), new(versions.Shared, versions.Seed ^ 1)];
            var deltas = new List<Delta>();
            for (var step = 0; step < 8; step++)
            {
                var replica = replicas[entropy.Below(replicas.Length)];
                if (entropy.Below(3) > 0 && AnyEdit.Make(replica, entropy) is { } made) deltas.Add(made);
                else if (deltas.Count > 0) replica.Receive(deltas[entropy.Below(deltas.Count)]);
            }

            foreach (var replica in replicas)
                foreach (var delta in deltas.Concat(deltas).OrderBy(_ => entropy.Below(int.MaxValue)).ToList()) replica.Receive(delta);
            foreach (var list in (LensList[])[versions.Left, versions.Right, versions.Shared])
            {
                var first = JsonView.Text(list.View, replicas[0].State, allValues: true);
                foreach (var replica in replicas) Assert.Equal(first, JsonView.Text(list.View, replica.State, allValues: true));
            }

            Assert.Single(replicas.Select(replica => replica.State.StateHash()).Distinct());
        },
        iter: Cases);

    [Fact]
    public void Fields_of_one_name_made_on_different_branches_are_two_fields() => Branches.Sample(
        versions =>
        {
            if (versions.Left.Equals(versions.Right)) return;
            var left = LensGen.Later(versions.Left, [new AddProperty("fresh")]);
            var right = LensGen.Later(versions.Right, [new AddProperty("fresh")]);
            if (!left.View.Root.Fields.TryGetValue("fresh", out var one) || !right.View.Root.Fields.TryGetValue("fresh", out var other)) return;
            Assert.NotEqual(one.Storage([]), other.Storage([]));
            Assert.Null(left.View.Find(other.Storage([])));
        },
        iter: Cases);
}
