using CloudPeer.Sync.Client;
using CloudPeer.Sync.Log;
using CloudPeer.TestKit;
using Microsoft.Extensions.Time.Testing;
using Tlfs.Core;
using Tlfs.Core.Crypto;
using Tlfs.Core.Ids;
using Tlfs.Core.Sealing;
using Xunit;

namespace CloudPeer.Sync.Tests.Client;

/// <summary>The client's small rules: addresses, waiting, and what counts as acknowledged.</summary>
public sealed class ClientRulesTests
{
    [Theory]
    [InlineData("http://localhost:5180/", "http://localhost:5180")]
    [InlineData("http://127.0.0.1:5180", "http://127.0.0.1:5180")]
    [InlineData("http://[::1]:5180", "http://[::1]:5180")]
    [InlineData("https://Peer.Example/a/", "https://peer.example/a")]
    public void One_server_has_one_address(string typed, string address) => Assert.Equal(address, ServerUrl.Parse(typed, allowInsecure: false));

    [Theory]
    [InlineData("peer.example", Reason.BadArgument)]
    [InlineData("ftp://peer.example", Reason.BadArgument)]
    [InlineData("https://user:secret@peer.example", Reason.BadArgument)]
    [InlineData("https://peer.example/?a=b", Reason.BadArgument)]
    [InlineData("https://peer.example/#a", Reason.BadArgument)]
    [InlineData("http://peer.example", Reason.InsecureUrl)]
    [InlineData("http://localhost.example", Reason.InsecureUrl)]
    [InlineData("http://127.0.0.1.example", Reason.InsecureUrl)]
    public void Other_addresses_are_refused(string typed, Reason reason)
    {
        var refused = Assert.Throws<TlfsException>(() => ServerUrl.Parse(typed, allowInsecure: false));
        Assert.Equal(reason, refused.Reason);
        Assert.DoesNotContain("secret", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Plain_http_is_taken_when_it_is_asked_for() => Assert.Equal("http://peer.example", ServerUrl.Parse("http://peer.example", allowInsecure: true));

    [Fact]
    public void Waits_grow_to_a_ceiling_with_jitter_below_it_and_start_again_after_success()
    {
        var backoff = new Backoff(new SeededEntropy(7), TimeProvider.System);
        var waits = Enumerable.Range(0, 200).Select(_ => backoff.Next()).ToArray();
        Assert.All(waits.Select((wait, i) => (wait, i)), each => Assert.InRange(each.wait, TimeSpan.Zero, Min(Backoff.First * Math.Pow(2, Math.Min(each.i, 20)), Backoff.Longest)));
        Assert.True(waits.Max() > Backoff.Longest * 0.8);
        Assert.True(waits.Distinct().Count() > 190);
        backoff.Reset();
        Assert.InRange(backoff.Next(), TimeSpan.Zero, Backoff.First);
    }

    [Fact]
    public void A_server_is_believed_when_it_says_when_to_come_back_within_reason()
    {
        var backoff = new Backoff(new SeededEntropy(7), TimeProvider.System);
        Assert.InRange(backoff.Next(TimeSpan.FromSeconds(60)), TimeSpan.FromSeconds(60), TimeSpan.FromSeconds(60) + Backoff.First);
        Assert.InRange(backoff.Next(TimeSpan.FromDays(1)), Backoff.LongestHint, Backoff.LongestHint + Backoff.First * 2);
        Assert.InRange(backoff.Next(TimeSpan.FromSeconds(-5)), TimeSpan.Zero, Backoff.First * 4);
    }

    [Fact]
    public async Task A_wait_lasts_as_long_as_the_clock_that_was_handed_in_says()
    {
        var time = new FakeTimeProvider();
        var waiting = new Backoff(new SeededEntropy(7), time).WaitAsync(new(Reason.Unreachable, "no"), TestContext.Current.CancellationToken);
        Assert.False(waiting.IsCompleted);
        time.Advance(Backoff.First);
        await waiting;
    }

    [Fact]
    public void Only_receipts_for_exactly_what_was_pushed_by_exactly_that_server_count()
    {
        using var server = SigningKey.Generate(new SeededEntropy(1));
        using var owner = SigningKey.Generate(new SeededEntropy(2));
        var document = new DocumentBuilder(new SeededEntropy(3), owner);
        Envelope[] pushed = [document.Genesis, document.NextDelta(owner)];
        var good = Receipts(server, document.Id, pushed);
        Assert.True(PushResult.Attest(good, server.Public, document.Id, pushed));
        Assert.False(PushResult.Attest(good[..1], server.Public, document.Id, pushed));
        Assert.False(PushResult.Attest([good[1], good[0]], server.Public, document.Id, pushed));
        Assert.False(PushResult.Attest(good, owner.Public, document.Id, pushed));
        Assert.False(PushResult.Attest(good, server.Public, default, pushed));
        Assert.False(PushResult.Attest(Receipts(owner, document.Id, pushed), server.Public, document.Id, pushed));
        foreach (var flipped in Flipped(good[0]))
            Assert.False(PushResult.Attest([flipped, good[1]], server.Public, document.Id, pushed));
    }

    private static IEnumerable<Receipt> Flipped(Receipt good)
    {
        yield return good with { Leaf = good.Leaf with { Index = 5, Size = 6 } };
        yield return good with { Leaf = good.Leaf with { Micros = good.Leaf.Micros + 1 } };
        yield return good with { Leaf = good.Leaf with { Root = default } };
        yield return good with { LeafIndex = 1 };
        yield return good with { LeafCount = 3 };
        yield return good with { Path = [] };
        for (var i = 0; i < good.Signature.Length; i++)
        {
            var signature = good.Signature.ToArray();
            signature[i] ^= 1;
            yield return good with { Signature = signature };
        }
    }

    private static Receipt[] Receipts(SigningKey server, DocId document, Envelope[] pushed)
    {
        var log = CompactRange.Empty;
        var leaves = new List<ReceiptLeaf>();
        foreach (var envelope in pushed)
        {
            log = log.Append(envelope.Id);
            leaves.Add(new(document, envelope.Id, log.Size - 1, log.Size, log.Root, 5));
        }

        var batch = ReceiptBatch.Sign(server, leaves);
        return [.. leaves.Select((_, i) => batch[i])];
    }

    private static TimeSpan Min(TimeSpan left, TimeSpan right) => left < right ? left : right;
}
