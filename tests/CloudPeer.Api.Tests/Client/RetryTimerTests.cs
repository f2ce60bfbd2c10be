using CloudPeer.Sync.Client;
using CloudPeer.TestKit;
using Microsoft.Extensions.Time.Testing;
using Tlfs.Client.Sync;
using Xunit;

namespace CloudPeer.Api.Tests.Client;

/// <summary>When a watch tries again.</summary>
public sealed class RetryTimerTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly RetryTimer _timer;

    public RetryTimerTests() =>
        _timer = new(new Backoff(new SeededEntropy(7), _time, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(8), TimeSpan.FromHours(1)), _time);

    [Fact]
    public void What_did_not_work_waits_longer_each_time_and_what_worked_does_not_wait()
    {
        Assert.True(_timer.IsDue(edited: false));
        Assert.Null(_timer.Left);
        for (var attempt = 0; attempt < 20; attempt++)
        {
            _timer.Later();
            var left = _timer.Left!.Value;
            Assert.InRange(left, TimeSpan.Zero, TimeSpan.FromSeconds(Math.Min(8, 1 << Math.Min(attempt, 10))));
            if (left == TimeSpan.Zero) continue;
            Assert.False(_timer.IsDue(edited: false));
            _time.Advance(left);
            Assert.True(_timer.IsDue(edited: false));
        }

        _timer.Reset();
        Assert.Null(_timer.Left);
        _timer.Later();
        Assert.InRange(_timer.Left!.Value, TimeSpan.Zero, TimeSpan.FromSeconds(1));
    }

    [Fact]
    public void Edits_bring_one_attempt_forward_and_do_not_make_the_next_one_later()
    {
        _timer.Later(TimeSpan.FromMinutes(30));
        var left = _timer.Left!.Value;
        Assert.InRange(left, TimeSpan.FromMinutes(30), TimeSpan.FromMinutes(30) + TimeSpan.FromSeconds(1));
        Assert.True(_timer.IsDue(edited: true));
        _timer.Later();
        for (var edits = 0; edits < 10; edits++) Assert.False(_timer.IsDue(edited: true));
        Assert.Equal(left, _timer.Left);
        _time.Advance(left);
        Assert.True(_timer.IsDue(edited: false));
        _timer.Later();
        Assert.True(_timer.IsDue(edited: true));
    }

    [Fact]
    public async Task A_document_without_a_place_in_a_stream_is_synchronised_every_minute_and_what_waits_for_room_is_not_sent_then()
    {
        await using var person = await Person.CreateAsync();
        await person.Replica.DisposeAsync();
        using var home = ReplicaHome.Open(person.Options with { Time = _time });
        var followed = new FollowedDocument(home);
        for (var poll = 0; poll < 20; poll++)
        {
            followed.Poll();
            Assert.False(followed.MayBegin(edited: true));
            Assert.InRange(followed.Left!.Value, TimeSpan.FromMinutes(1), TimeSpan.FromSeconds(61));
            _time.Advance(followed.Left.Value);
            Assert.True(followed.MayBegin(edited: false) && followed.SendsAtBegin);
        }

        followed.Room.Later(TimeSpan.FromMinutes(10));
        followed.Poll();
        _time.Advance(followed.Left!.Value);
        Assert.True(followed.MayBegin(edited: false));
        Assert.False(followed.SendsAtBegin);
        _time.Advance(TimeSpan.FromMinutes(10));
        Assert.True(followed.SendsAtBegin);
    }

    [Fact]
    public void A_server_that_names_a_time_is_believed_within_reason()
    {
        _timer.Later(TimeSpan.FromDays(1));
        Assert.InRange(_timer.Left!.Value, TimeSpan.FromHours(1), TimeSpan.FromHours(1) + TimeSpan.FromSeconds(1));
    }
}
