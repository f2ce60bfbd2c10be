using CloudPeer.TestKit;
using Tlfs.Core.Crdt;
using Xunit;

namespace Tlfs.Core.Tests.Crdt.Laws;

public sealed class PositionLaws
{
    private const int Many = 100_000;

    [Fact]
    public void Appends_and_prepends_stay_short()
    {
        Position? last = null, first = null;
        for (var i = 0; i < Many; i++)
        {
            var (next, previous) = (Positions.Between(last, null, 1)![0], Positions.Between(null, first, 1)![0]);
            Assert.True(last is null || last.Value.CompareTo(next) < 0);
            Assert.True(first is null || previous.CompareTo(first.Value) < 0);
            Assert.InRange(Math.Max(next.Bytes.Length, previous.Bytes.Length), 1, 4);
            (last, first) = (next, previous);
        }
    }

    [Fact]
    public void A_run_is_short_ascending_and_even()
    {
        var appended = Positions.Between(null, null, Many)!;
        Ascending(appended);
        Assert.True(appended.All(position => position.Bytes.Length <= 4));
        var between = Positions.Between(appended[7], appended[8], 1_000)!;
        Ascending([appended[7], .. between, appended[8]]);
        Assert.True(between.All(position => position.Bytes.Length <= appended[8].Bytes.Length + 2));
        Assert.Null(Positions.Between(appended[8], appended[8], 1));
        Assert.Null(Positions.Between(appended[8], appended[7], 1));
    }

    [Fact]
    public void Between_hostile_positions_there_is_room_or_null()
    {
        var entropy = new SeededEntropy(5);
        var (found, none) = (0, 0);
        for (var i = 0; i < 50_000; i++)
        {
            Position? low = Hostile(entropy), high = Hostile(entropy);
            if (entropy.Below(4) == 0) low = null;
            else if (entropy.Below(4) == 0) high = null;
            var count = 1 + entropy.Below(3);
            if (Positions.Between(low, high, count) is not { } positions)
            {
                none++;
                continue;
            }

            found++;
            Assert.Equal(count, positions.Length);
            Ascending([.. low is { } l ? new[] { l } : [], .. positions, .. high is { } h ? new[] { h } : []]);
        }

        Assert.True(found > 1_000 && none > 1_000);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void A_run_of_insertions_at_one_spot_goes_on_for_thousands(int step)
    {
        var ends = Positions.Between(null, null, 2)!;
        var (low, high) = (ends[0], ends[1]);
        for (var i = 0; i < 3_000; i++)
        {
            var next = Positions.Between(low, high, 1)![0];
            if (step == 0) high = next;
            else low = next;
        }

        Assert.InRange(low.Bytes.Length, 1, Limits.PositionBytes);
    }

    private static Position Hostile(SeededEntropy entropy)
    {
        while (true)
        {
            var bytes = new byte[entropy.Below(10) == 0 ? Limits.PositionBytes : 1 + entropy.Below(4)];
            for (var i = 0; i < bytes.Length; i++) bytes[i] = (byte)(entropy.Below(3) switch { 0 => 0xFF, 1 => entropy.Below(3), _ => 0x7F + entropy.Below(3) });
            if (Position.TryFrom(bytes, out var position)) return position;
        }
    }

    private static void Ascending(Position[] positions)
    {
        for (var i = 1; i < positions.Length; i++) Assert.True(positions[i - 1].CompareTo(positions[i]) < 0);
    }
}
