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
        var buckets = new TokenBuckets(3, Interval, _clock);
        var id = Next();
        for (var i = 0; i < 3; i++) Assert.True(buckets.TryTake(id, 1, out _));

        Assert.False(buckets.TryTake(id, 1, out var later));
        Assert.Equal(Interval, later);
        _clock.Advance(Interval - TimeSpan.FromTicks(1));
        Assert.False(buckets.TryTake(id, 1, out later));
        Assert.Equal(TimeSpan.FromTicks(1), later);
        _clock.Advance(later);
        Assert.True(buckets.TryTake(id, 1, out _));
        Assert.False(buckets.TryTake(id, 1, out _));

        _clock.Advance(Interval * 100);
        for (var i = 0; i < 3; i++) Assert.True(buckets.TryTake(id, 1, out _));
        Assert.False(buckets.TryTake(id, 1, out _));
    }

    [Fact]
    public void Many_who_use_up_theirs_leave_the_others_alone()
    {
        var buckets = new TokenBuckets(2, Interval, _clock);
        for (var i = 0; i < 2_000; i++)
        {
            var id = Next();
            while (buckets.TryTake(id, 1, out _))
            {
            }
        }

        // Of 2,000 newcomers 7 would share both of their places with one of them; a single place is shared by 120.
        var refused = Enumerable.Range(0, 2_000).Count(_ => !buckets.TryTake(Next(), 1, out var _));
        Assert.InRange(refused, 0, 50);
    }

    [Fact]
    public void Several_tokens_are_taken_together_or_not_at_all()
    {
        var buckets = new TokenBuckets(3, Interval, _clock);
        var id = Next();
        Assert.True(buckets.TryTake(id, 2, out _));

        Assert.False(buckets.TryTake(id, 2, out var later));
        Assert.Equal(Interval, later);
        Assert.True(buckets.TryTake(id, 1, out _));
    }

    [Fact]
    public void What_is_spent_is_never_more_than_there_is()
    {
        var buckets = new TokenBuckets(3, Interval, _clock);
        var id = Next();
        buckets.Spend(id, 50);
        Assert.False(buckets.TryTake(id, 1, out var later));
        Assert.Equal(Interval, later);

        _clock.Advance(Interval * 2);
        buckets.Spend(id, 1);
        Assert.True(buckets.TryTake(id, 1, out _));
        Assert.False(buckets.TryTake(id, 1, out _));
    }

    [Fact]
    public void What_is_owed_has_to_come_back_before_there_are_tokens_again()
    {
        var buckets = new TokenBuckets(3, Interval, _clock);
        var id = Next();
        Assert.True(buckets.TryTake(id, 2, out _));
        Assert.True(buckets.TryOwe(id, 3));
        Assert.False(buckets.TryOwe(id, 1));

        // Two are owed, and the third one is there to be taken.
        Assert.False(buckets.TryTake(id, 1, out var later));
        Assert.Equal(Interval * 3, later);
        _clock.Advance(later);
        Assert.True(buckets.TryOwe(id, 1));
        Assert.False(buckets.TryTake(id, 1, out _));
        Assert.True(buckets.TryTake(Next(), 3, out _));
    }

    private static byte[] Next() => SystemEntropy.Instance.Bytes(Bytes32.Size);
}
