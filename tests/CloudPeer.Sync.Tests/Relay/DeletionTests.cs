using CloudPeer.Sync.Log;
using CloudPeer.Sync.Relay;
using CloudPeer.TestKit;
using CloudPeer.TestKit.Relay;
using Microsoft.Extensions.Time.Testing;
using Tlfs.Core;
using Tlfs.Core.Crypto;
using Xunit;

namespace CloudPeer.Sync.Tests.Relay;

/// <summary>Deletions (sync.md §6.4) at the same moment as everything else.</summary>
public sealed class DeletionTests : IAsyncLifetime
{
    private readonly FakeTimeProvider _clock = new(new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero));
    private readonly MemoryRelayStore _store = new();
    private RelayWorld? _world;
    private SigningKey? _owner;
    private DocumentBuilder? _document;

    private RelayWorld World => _world!;

    private SigningKey Owner => _owner!;

    private DocumentBuilder Document => _document!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _world = new(_store, time: _clock);
        _owner = World.Tenant();
        _document = await World.HostedAsync(_owner);
    }

    public async ValueTask DisposeAsync()
    {
        _owner?.Dispose();
        if (_world is not null) await _world.DisposeAsync();
        await _store.DisposeAsync();
    }

    [Fact]
    public async Task Nothing_is_locked_for_who_may_not_delete()
    {
        var (store, proxy) = StoreProxy.Around(_store);
        await using var relay = World.Start(store);
        foreach (var device in new[] { World.Device(), World.Tenant() })
            Assert.Equal(Refusal.NotFound, (await relay.DeleteAsync(device.Public, Document.Id, Cancel)).Refusal);
        Assert.Equal(0, proxy.Calls(nameof(IRelayStore.BeginAsync)));
    }

    [Fact]
    public async Task Deletions_lock_one_after_the_other()
    {
        DocumentBuilder[] documents = [Document, await World.HostedAsync(Owner), await World.HostedAsync(Owner)];
        var (locked, most) = (0, 0);
        var gate = new TaskCompletionSource();
        await using var relay = World.Start(Interception.Before<IRelayStore>(_store, (method, _, next) => method is nameof(IRelayStore.BeginAsync) ? BeginAsync(next) : next()));

        var deletions = documents.Select(document => relay.DeleteAsync(Owner.Public, document.Id, Cancel)).ToList();
        gate.SetResult();

        Assert.All(await Task.WhenAll(deletions), outcome => Assert.True(outcome.Succeeded));
        Assert.Equal(1, most);

        async Task<IRelayTransaction> BeginAsync(Func<object?> next)
        {
            most = Math.Max(most, Interlocked.Increment(ref locked));
            await gate.Task;
            var begun = await (Task<IRelayTransaction>)next()!;
            return Interception.Before(begun, (method, _, go) =>
            {
                if (method is nameof(IAsyncDisposable.DisposeAsync)) Interlocked.Decrement(ref locked);
                return go();
            });
        }
    }

    [Fact]
    public async Task A_deletion_whose_answer_was_lost_is_none_the_less_known_to_readers_and_followers()
    {
        await using var relay = World.Start(Interception.Before<IRelayStore>(_store, (method, _, next) =>
            method is nameof(IRelayStore.BeginAsync) ? BeginAsync((Task<IRelayTransaction>)next()!) : next()));
        Assert.Equal(2, (await RelayWorld.ReadAllAsync(relay, Owner, Document.Id)).Count);
        var waiting = relay.WaitAsync(Owner.Public, Document.Id, 2, Cancel);

        Assert.Equal(Reason.Unavailable, (await relay.DeleteAsync(Owner.Public, Document.Id, Cancel)).Refusal?.Reason);

        Assert.Equal(Refusal.NotFound, await waiting);
        Assert.Equal(Refusal.NotFound, (await relay.ReadAsync(Owner.Public, Document.Id, new(0), Cancel)).Refusal);
        await World.AcceptAsync(Owner, Document, [.. Document.Envelopes]);
        Assert.Equal(2, (await RelayWorld.ReadAllAsync(relay, Owner, Document.Id)).Count);

        async Task<IRelayTransaction> BeginAsync(Task<IRelayTransaction> begun) => Interception.Before(
            await begun, (method, _, next) => method is nameof(IRelayTransaction.DeleteAsync) ? DeleteAsync((Task)next()!) : next());

        async Task DeleteAsync(Task deleting)
        {
            await deleting;
            throw new TlfsException(Reason.Unavailable, "the connection was lost");
        }
    }

    [Fact]
    public async Task A_counter_is_repaired_only_in_what_is_locked()
    {
        await using (var transaction = await _store.BeginAsync([Document.Id], [], Cancel))
        {
            var state = transaction.Documents[Document.Id];
            await transaction.CommitAsync(GroupCommit.Correction([state with { StoredBytes = state.StoredBytes + 5 }], [], 1), Cancel);
        }

        // The document goes away before the lock, and whoever begins it anew has the same wrong counter.
        var wrong = await _store.CountDocumentAsync(Document.Id, Cancel);
        var written = 0;
        var audit = new UsageAudit(
            Interception.Before<IRelayStore>(_store, (method, _, next) => method switch
            {
                nameof(IRelayStore.CountDocumentAsync) => Task.FromResult(wrong),
                nameof(IRelayStore.BeginAsync) => BeginAsync(next),
                _ => next(),
            }),
            _clock);
        await audit.RunAsync(repair: true, Cancel);
        Assert.Equal(0, written);

        async Task<IRelayTransaction> BeginAsync(Func<object?> next)
        {
            await World.Relay.DeleteAsync(Owner.Public, Document.Id, Cancel);
            return Interception.Before(await (Task<IRelayTransaction>)next()!, (method, _, go) =>
            {
                if (method is nameof(IRelayTransaction.CommitAsync)) written++;
                return go();
            });
        }
    }

    [Fact]
    public async Task Who_read_a_document_before_it_was_deleted_does_not_bring_it_back()
    {
        var (read, goOn) = (new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously), new TaskCompletionSource());
        await using var relay = World.Start(Interception.Before<IRelayStore>(_store, (method, _, next) =>
            method is nameof(IRelayStore.ReadStatementsAsync) ? ReadLaterAsync((Task<IReadOnlyList<PlacedEntry>>)next()!) : next()));
        var reading = relay.ReadAsync(Owner.Public, Document.Id, new(0), Cancel);
        await read.Task;
        Assert.True((await relay.DeleteAsync(Owner.Public, Document.Id, Cancel)).Succeeded);
        goOn.SetResult();
        await reading;

        Assert.Equal(Refusal.NotFound, await relay.WaitAsync(Owner.Public, Document.Id, 1, Cancel));

        async Task<IReadOnlyList<PlacedEntry>> ReadLaterAsync(Task<IReadOnlyList<PlacedEntry>> found)
        {
            var statements = await found;
            read.TrySetResult();
            await goOn.Task;
            return statements;
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_log_that_goes_away_between_its_state_and_its_statements_is_unavailable(bool comesAnew)
    {
        var isFirst = true;
        await using var relay = World.Start(Interception.Before<IRelayStore>(_store, (method, _, next) =>
        {
            if (method is not nameof(IRelayStore.ReadStatementsAsync) || !isFirst) return next();
            isFirst = false;
            return AfterAsync(next);
        }));

        var page = await relay.ReadAsync(Owner.Public, Document.Id, new(0), Cancel);

        Assert.Equal(Reason.Unavailable, page.Refusal?.Reason);
        Assert.Equal(comesAnew, (await relay.ReadAsync(Owner.Public, Document.Id, new(0), Cancel)).Succeeded);

        async Task<IReadOnlyList<PlacedEntry>> AfterAsync(Func<object?> next)
        {
            await World.Relay.DeleteAsync(Owner.Public, Document.Id, Cancel);
            if (comesAnew) await World.AcceptAsync(Owner, Document, [.. Document.Envelopes]);
            return await (Task<IReadOnlyList<PlacedEntry>>)next()!;
        }
    }

    [Fact]
    public async Task A_page_without_entries_short_of_the_end_is_unavailable()
    {
        await using var relay = World.Start(Interception.Before<IRelayStore>(_store, (method, _, next) =>
            method is nameof(IRelayStore.ReadAsync) ? EmptyAsync((Task<LogSlice?>)next()!) : next()));

        Assert.Equal(Reason.Unavailable, (await relay.ReadAsync(Owner.Public, Document.Id, new(1), Cancel)).Refusal?.Reason);
        Assert.Equal(2UL, (await relay.ReadAsync(Owner.Public, Document.Id, new(2), Cancel)).Value?.CaughtUp?.Size);

        static async Task<LogSlice?> EmptyAsync(Task<LogSlice?> read) => await read is { } slice ? slice with { Entries = [] } : null;
    }

    [Fact]
    public async Task Heads_and_acknowledgements_of_a_new_log_are_not_earlier_than_it_begins_also_by_a_clock_that_is_behind()
    {
        var behind = new FakeTimeProvider(_clock.GetUtcNow() - TimeSpan.FromSeconds(1));
        await using var relay = new DocumentRelay(World.Server, _store, World.Tenants, behind, onFault: World.Faults.Enqueue);
        Assert.True((await World.Relay.DeleteAsync(Owner.Public, Document.Id, Cancel)).Succeeded);
        await World.AcceptAsync(Owner, Document, [.. Document.Envelopes]);
        var generation = Assert.Single((await relay.BeginningAsync(Owner.Public, Document.Id, Cancel)).Value!.Generations);

        var head = (await relay.HeadAsync(Owner.Public, Document.Id, 0, Cancel)).Outcome.Value!.Head;
        Assert.False(generation.TakesBack(head.Size, head.Micros));
        Assert.Null(await relay.AckAsync(Owner.Public, Document.Id, 2, Cancel));
        var delivered = Assert.Single((await relay.DeliveredAsync(Owner.Public, Document.Id, Cancel)).Value!);
        Assert.Equal(2UL, delivered.Since([new(generation.Number, generation.Micros, CompactRange.Empty)]).Size);

        // Also when it grows, at a relay that remembers it.
        await World.AcceptAsync(Owner, Document, Document.NextDelta(Owner));
        var grown = (await relay.HeadAsync(Owner.Public, Document.Id, 0, Cancel)).Outcome.Value!.Head;
        Assert.Equal((3UL, false), (grown.Size, generation.TakesBack(grown.Size, grown.Micros)));
    }

    [Fact]
    public async Task A_new_log_takes_back_what_a_clock_that_is_ahead_signed_of_the_old_one_and_nothing_of_itself()
    {
        var ahead = new FakeTimeProvider(_clock.GetUtcNow() + TimeSpan.FromSeconds(59));
        await using var relay = new DocumentRelay(World.Server, _store, World.Tenants, ahead, onFault: World.Faults.Enqueue);
        var before = (await relay.HeadAsync(Owner.Public, Document.Id, 0, Cancel)).Outcome.Value!.Head;
        Assert.True((await World.Relay.DeleteAsync(Owner.Public, Document.Id, Cancel)).Succeeded);

        var first = await World.AcceptAsync(Owner, Document, [.. Document.Envelopes]);
        var next = await World.AcceptAsync(Owner, Document, Document.NextDelta(Owner));

        var generation = Assert.Single((await World.Relay.BeginningAsync(Owner.Public, Document.Id, Cancel)).Value!.Generations);
        Assert.True(generation.TakesBack(before.Size, before.Micros));
        Assert.All(first.Concat(next), receipt => Assert.False(generation.TakesBack(receipt.Leaf.Size, receipt.Leaf.Micros)));
    }

    [Fact]
    public async Task What_another_process_left_unremoved_is_looked_for_again_after_a_while()
    {
        using var purged = new SemaphoreSlim(0);
        await using var relay = World.Start(Interception.Before<IRelayStore>(_store, (method, _, next) =>
        {
            if (method is nameof(IRelayStore.PurgeAsync)) purged.Release();
            return next();
        }));
        for (var i = 0; i < 3; i++)
        {
            Assert.True(await purged.WaitAsync(TimeSpan.FromMinutes(1), Cancel));
            _clock.Advance(TimeSpan.FromMinutes(10));
        }
    }
}
