using CloudPeer.Api.Hosting;
using Microsoft.Extensions.Time.Testing;
using Tlfs.Core.Crypto;
using Tlfs.Core.Ids;
using Xunit;

namespace CloudPeer.Api.Tests.Hosting;

public sealed class TokenBucketsTests
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);
    private readonly FakeTimeProvider _clock = new();

    [Fact]
    public void A_full_bucket_gives_its_burst_and_then_one_token_each_interval()
    {
        var buckets = new TokenBuckets<PeerId>(3, Interval, _clock);
        var id = Next();
        for (var i = 0; i < 3; i++) Assert.True(buckets.TryTake(id, out _));

        Assert.False(buckets.TryTake(id, out var later));
        Assert.Equal(Interval, later);
        _clock.Advance(Interval - TimeSpan.FromTicks(1));
        Assert.False(buckets.TryTake(id, out later));
        Assert.Equal(TimeSpan.FromTicks(1), later);
        _clock.Advance(later);
        Assert.True(buckets.TryTake(id, out _));
        Assert.False(buckets.TryTake(id, out _));

        _clock.Advance(Interval * 100);
        for (var i = 0; i < 3; i++) Assert.True(buckets.TryTake(id, out _));
        Assert.False(buckets.TryTake(id, out _));
    }

    [Fact]
    public void Many_who_use_up_theirs_leave_the_others_alone()
    {
        var buckets = new TokenBuckets<PeerId>(2, Interval, _clock);
        for (var i = 0; i < 2_000; i++)
        {
            var id = Next();
            while (buckets.TryTake(id, out _))
            {
            }
        }

        // Of 2,000 newcomers 7 would share both of their places with one of them; a single place is shared by 120.
        var refused = Enumerable.Range(0, 2_000).Count(_ => !buckets.TryTake(Next(), out var _));
        Assert.InRange(refused, 0, 50);
    }

    private static PeerId Next() => new(new Bytes32(SystemEntropy.Instance.Bytes(Bytes32.Size)));
}
