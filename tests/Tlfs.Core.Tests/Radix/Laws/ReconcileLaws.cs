using System.Buffers.Binary;
using CloudPeer.TestKit;
using Tlfs.Core.Ids;
using Tlfs.Core.Radix;
using Xunit;

namespace Tlfs.Core.Tests.Radix.Laws;

/// <summary>What two sides learn is the symmetric difference of their sets, whatever the sets and whatever is sent.</summary>
public class ReconcileLaws
{
    private static readonly byte[] s_here = [7, 7, 7];

    [Fact]
    public void The_result_is_the_symmetric_difference()
    {
        for (var seed = 1UL; seed <= 10_000; seed++)
        {
            var entropy = new SeededEntropy(seed);
            var (here, there) = Pair(entropy, seed % 100 == 0 ? 900 : 30);
            var initiator = Initiator(here, entropy);
            Assert.True(IdSets.Run(initiator, Responder(there), out var trips));
            AssertResult(initiator, here, there);
            if (here.SetEquals(there)) Assert.Single(trips);
        }
    }

    [Fact]
    public void Large_sets_with_few_differences_take_three_round_trips_and_little_traffic()
    {
        var ids = Numbered(0, 100_000);
        HashSet<Bytes32> here = [.. ids, .. Numbered(200_000, 50)], there = [.. ids, .. Numbered(300_000, 50)];
        var initiator = Initiator(here, new SeededEntropy(1));
        Assert.True(IdSets.Run(initiator, Responder(there), out var trips));
        AssertResult(initiator, here, there);
        Assert.InRange(trips.Count, 1, 3);
        Assert.InRange(trips.Sum(trip => trip.Up + trip.Down), 1, 64 * 1024);

        Assert.True(IdSets.Run(Initiator(here, new SeededEntropy(2)), Responder(here), out trips));
        Assert.Single(trips);
        Assert.InRange(trips[0].Up + trips[0].Down, 1, 100);
    }

    [Fact]
    public void Sets_with_nothing_in_common_are_learnt_in_bounded_messages()
    {
        HashSet<Bytes32> here = [.. Numbered(0, 30_000)], there = [.. Numbered(100_000, 20_000)];
        var initiator = Initiator(here, new SeededEntropy(1));
        Assert.True(IdSets.Run(initiator, Responder(there), out _));
        AssertResult(initiator, here, there);
        initiator = Initiator([], new SeededEntropy(1));
        Assert.True(IdSets.Run(initiator, Responder(there), out _));
        AssertResult(initiator, [], there);
    }

    [Fact]
    public void Colliding_fingerprints_never_give_a_wrong_result()
    {
        var (right, again) = (0, 0);
        for (var seed = 1UL; seed <= 3_000; seed++)
        {
            var entropy = new SeededEntropy(seed);
            var (here, there) = Pair(entropy, 30);
            var mask = seed % 2 == 0 ? 0x3FUL : 0x3UL;
            var initiator = new ReconcileInitiator(IdSets.Tree(here, s_here), s_here, entropy) { ShortMask = mask };
            var found = IdSets.Run(initiator, new ReconcileResponder(IdSets.Tree(there, [3]), new byte[] { 3 }) { ShortMask = mask }, out var trips);
            Assert.Equal(found, initiator.IsDone);
            if (!found) continue;
            AssertResult(initiator, here, there);
            right++;
            if (trips.Count > 3) again++;
        }

        Assert.InRange(right, 1_000, 3_000);
        Assert.InRange(again, 50, 3_000);
    }

    [Fact]
    public void Hostile_bytes_are_refused_or_answered_within_bounds()
    {
        var good = Recorded(out var trees);
        var entropy = new SeededEntropy(11);
        var responder = new ReconcileResponder(trees.There, new byte[] { 3 });
        Assert.True(responder.TryAnswer(good[0], out _, out _));
        var (answered, taken) = (0, 0);
        for (var i = 0; i < 30_000; i++)
        {
            var bytes = Fuzz.Mutate(entropy, good[entropy.Below(good.Count)]);
            if (responder.TryAnswer(bytes, out var answer, out var error)) answered++;
            else Assert.NotEqual(Reason.Internal, error.Reason);
            Assert.InRange(answer.Length, 0, 64 * 1024);
            if (i % 50 != 0) continue;

            var initiator = new ReconcileInitiator(trees.Here, s_here, new SeededEntropy(1));
            initiator.Start();
            if (entropy.Below(2) == 0) initiator.TryReceive(good[1], out _, out _);
            if (initiator.TryReceive(bytes, out var next, out error)) taken++;
            else Assert.NotEqual(Reason.Internal, error.Reason);
            Assert.InRange(next?.Length ?? 0, 0, 64 * 1024);
            Assert.InRange(initiator.OnlyThere.Count, 0, 2_000);
        }

        Assert.InRange(answered, 1, 29_999);
        Assert.InRange(taken, 1, 599);
    }

    [Fact]
    public void Messages_are_encoded_in_one_way()
    {
        var good = Recorded(out _);
        Fuzz.Decode<ReconcileMessage>(5, 100_000, good, ReconcileMessage.TryDecode, message => message.Encode());
    }

    [Fact]
    public void A_side_that_claims_too_much_is_refused()
    {
        var there = new ReconcileResponder(IdSets.Tree(Numbered(0, 300), [3]), new byte[] { 3 });
        var initiator = new ReconcileInitiator(RadixTree.Empty, default, new SeededEntropy(1), most: 299);
        Assert.True(there.TryAnswer(initiator.Start(), out var answer, out _));
        Assert.False(initiator.TryReceive(answer, out _, out var error));
        Assert.Equal(Reason.TooLarge, error.Reason);
    }

    private static List<byte[]> Recorded(out (RadixTree Here, RadixTree There) trees)
    {
        var shared = Numbered(0, 200);
        trees = (IdSets.Tree([.. shared, .. Numbered(1_000, 70)], s_here), IdSets.Tree([.. shared, .. Numbered(2_000, 90)], [3]));
        var messages = new List<byte[]>();
        var initiator = new ReconcileInitiator(trees.Here, s_here, new SeededEntropy(1));
        var responder = new ReconcileResponder(trees.There, new byte[] { 3 });
        for (var next = initiator.Start(); next is not null;)
        {
            messages.Add(next);
            Assert.True(responder.TryAnswer(next, out var answer, out _));
            messages.Add(answer);
            Assert.True(initiator.TryReceive(answer, out next, out _));
        }

        return messages;
    }

    private static ReconcileInitiator Initiator(HashSet<Bytes32> ids, SeededEntropy entropy) => new(IdSets.Tree(ids, s_here), s_here, entropy);

    private static ReconcileResponder Responder(HashSet<Bytes32> ids) => new(IdSets.Tree(ids, []).Remove([]).Remove([0xFF, 1]), default);

    private static void AssertResult(ReconcileInitiator initiator, HashSet<Bytes32> here, HashSet<Bytes32> there)
    {
        Assert.True(initiator.IsDone);
        Assert.True(here.Except(there).ToHashSet().SetEquals(initiator.OnlyHere));
        Assert.True(there.Except(here).ToHashSet().SetEquals(initiator.OnlyThere));
    }

    private static (HashSet<Bytes32> Here, HashSet<Bytes32> There) Pair(SeededEntropy entropy, int most)
    {
        var (here, there) = (new HashSet<Bytes32>(), new HashSet<Bytes32>());
        var lean = entropy.Below(4);
        for (var count = entropy.Below(most); count > 0; count--)
        {
            var (id, side) = (IdSets.Id(entropy), entropy.Below(8));
            if (side > 0 || lean == 0) here.Add(id);
            if (side != 1 || lean == 1) there.Add(id);
        }

        return (here, lean == 3 ? [.. here] : there);
    }

    private static List<Bytes32> Numbered(int from, int count)
    {
        var ids = new List<Bytes32>(count);
        for (var i = from; i < from + count; i++)
        {
            var number = new byte[4];
            BinaryPrimitives.WriteInt32BigEndian(number, i);
            ids.Add(Core.Crypto.Hashing.Sha256(number));
        }

        return ids;
    }
}
