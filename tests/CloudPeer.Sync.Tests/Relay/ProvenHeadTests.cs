using CloudPeer.Sync.Log;
using CloudPeer.Sync.Relay;
using CloudPeer.TestKit.Relay;
using Tlfs.Core;
using Tlfs.Core.Crypto;
using Tlfs.Core.Ids;
using Xunit;

namespace CloudPeer.Sync.Tests.Relay;

/// <summary>Heads with consistency proofs (log.md §3.4): they verify from every size, and cost what the log grew by.</summary>
public sealed class ProvenHeadTests : IAsyncLifetime
{
    private readonly MemoryRelayStore _store = new();
    private RelayWorld? _world;
    private SigningKey? _owner;
    private DocId _document;

    private RelayWorld World => _world!;

    public async ValueTask InitializeAsync()
    {
        _world = new(_store);
        _owner = World.Tenant();
        _document = (await World.HostedAsync(_owner)).Id;
    }

    public async ValueTask DisposeAsync()
    {
        _owner?.Dispose();
        if (_world is not null) await _world.DisposeAsync();
        await _store.DisposeAsync();
    }

    [Theory]
    [InlineData(2)]
    [InlineData(255)]
    [InlineData(256)]
    [InlineData(257)]
    [InlineData(1_000)]
    [InlineData(1_024)]
    [InlineData(2_817)]
    public async Task The_proof_verifies_from_every_size_and_with_no_other_root(int size)
    {
        var (store, log) = await LongLog.BeforeAsync(_store, _document, size);
        await using var relay = World.Start(store);
        for (var from = 1; from <= size; from += from < 10 || from % 256 is > 253 or < 2 ? 1 : 31)
        {
            var proven = await HeadAsync(relay, from);
            Assert.Equal(((ulong)size, log.RootAt(size)), (proven.Head.Size, proven.Head.Root));
            Assert.True(proven.Verify(_document, relay.Server, (ulong)from, log.RootAt(from)), $"from {from}");
            Assert.False(proven.Verify(_document, relay.Server, (ulong)from, log.RootAt(from - 1)));
            Assert.False(proven.Verify(_document, _owner!.Public, (ulong)from, log.RootAt(from)));
        }
    }

    [Fact]
    public async Task Nothing_is_proven_from_nowhere_or_from_beyond_the_end()
    {
        var (store, log) = await LongLog.BeforeAsync(_store, _document, 700);
        await using var relay = World.Start(store);
        foreach (var from in new[] { 0, 701, int.MaxValue }) Assert.Empty((await HeadAsync(relay, from)).Proof);
        Assert.Equal(0, log.Read);
    }

    [Fact]
    public async Task Ids_are_read_once_and_then_what_the_log_grew_by()
    {
        var (store, log) = await LongLog.BeforeAsync(_store, _document, 20_000);
        await using var relay = World.Start(store);
        await HeadAsync(relay, 10_000);
        Assert.InRange(log.Read, 20_000 - 256, 20_000 + 512);
        var read = log.Read;
        log.Grow(20_300);
        Assert.True((await HeadAsync(relay, 20_000)).Verify(_document, relay.Server, 20_000, log.RootAt(20_000)));
        Assert.InRange(log.Read - read, 1, 300 + 512 + 256);
    }

    [Fact]
    public async Task One_call_reads_no_more_than_the_limit_and_the_next_one_goes_on()
    {
        var (store, log) = await LongLog.BeforeAsync(_store, _document, 2_560);
        await using var relay = World.Start(store, new() { ProofIds = 1_024 });
        for (var call = 1; call <= 2; call++)
        {
            var refused = await relay.HeadAsync(_owner!.Public, _document, 100, CancellationToken.None);
            Assert.Equal((Reason.Unavailable, 1_024), (refused.Outcome.Refusal?.Reason, refused.Steps));
            Assert.NotNull(refused.Outcome.Refusal?.RetryAfter);
            Assert.Equal(1_024 * call, log.Read);
        }

        Assert.True((await HeadAsync(relay, 100)).Verify(_document, relay.Server, 100, log.RootAt(100)));
    }

    [Fact]
    public async Task A_log_within_the_limit_of_what_is_kept_is_proven_and_a_longer_one_is_too_large()
    {
        var (store, log) = await LongLog.BeforeAsync(_store, _document, 4 * 256 - 1);
        await using var relay = World.Start(store, new() { ProofTiles = 4 });
        Assert.NotEmpty((await HeadAsync(relay, 3)).Proof);
        log.Grow(4 * 256);
        Assert.Equal(Reason.TooLarge, (await relay.HeadAsync(_owner!.Public, _document, 3, CancellationToken.None)).Outcome.Refusal?.Reason);
    }

    [Fact]
    public async Task A_log_that_came_anew_is_proven_at_the_second_attempt()
    {
        var (store, log) = await LongLog.BeforeAsync(_store, _document, 1_000);
        await using (var relay = World.Start(store))
        {
            await HeadAsync(relay, 600);
            log.Replace(100, 1_000, salt: 7);
            Assert.Equal(Reason.Unavailable, (await relay.HeadAsync(_owner!.Public, _document, 600, CancellationToken.None)).Outcome.Refusal?.Reason);
        }

        // The state of a document that is remembered is that of its log, so the second attempt is another process's here.
        await using var next = World.Start(store);
        Assert.True((await HeadAsync(next, 600)).Verify(_document, next.Server, 600, log.RootAt(600)));
    }

    [Fact]
    public async Task A_shorter_log_that_came_anew_is_proven_at_the_second_attempt()
    {
        var (store, log) = await LongLog.BeforeAsync(_store, _document, 2_560);
        await using var relay = World.Start(store);
        await HeadAsync(relay, 600);

        log.BeginAnew(100, 600, salt: 7);

        Assert.Equal(Reason.Unavailable, (await relay.HeadAsync(_owner!.Public, _document, 300, CancellationToken.None)).Outcome.Refusal?.Reason);
        Assert.True((await HeadAsync(relay, 300)).Verify(_document, relay.Server, 300, log.RootAt(300)));
    }

    [Fact]
    public async Task Who_asked_before_the_log_grew_is_answered_after_who_asked_later()
    {
        var (longer, log) = await LongLog.BeforeAsync(_store, _document, 600);
        var (asked, goOn) = (new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously), new TaskCompletionSource());
        var isFirst = true;
        await using var relay = World.Start(Interception.Before(longer, (method, _, next) =>
        {
            if (method is not nameof(IRelayStore.FindReceiptAsync) || !isFirst) return next();
            isFirst = false;
            asked.SetResult();
            return FindLaterAsync((Task<StoredReceipt?>)next()!);
        }));
        var before = HeadAsync(relay, 300);
        await asked.Task;
        log.Grow(800);
        await HeadAsync(relay, 300);
        goOn.SetResult();

        Assert.True((await before).Verify(_document, relay.Server, 300, log.RootAt(300)));

        async Task<StoredReceipt?> FindLaterAsync(Task<StoredReceipt?> found)
        {
            await goOn.Task;
            return await found;
        }
    }

    private async Task<ProvenHead> HeadAsync(DocumentRelay relay, int from)
    {
        var proven = await relay.HeadAsync(_owner!.Public, _document, (ulong)from, CancellationToken.None);
        Assert.True(proven.Outcome.Succeeded, proven.Outcome.Refusal?.ToString());
        return proven.Outcome.Value;
    }
}
