using CloudPeer.Sync.Relay;
using CloudPeer.TestKit;
using CloudPeer.TestKit.Relay;
using Microsoft.Extensions.Time.Testing;
using Tlfs.Core;
using Tlfs.Core.Crypto;
using Tlfs.Core.Ids;
using Tlfs.Core.Policy;
using Xunit;

namespace CloudPeer.Sync.Tests.Relay;

/// <summary>Acknowledgements (sync.md §8): known at once, stored together, bounded, and true of the log as it is now.</summary>
public sealed class DeliveryTests : IAsyncLifetime
{
    // Only so that what never comes fails instead of hanging; a busy machine takes its time.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private readonly FakeTimeProvider _clock = new(new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero));
    private readonly MemoryRelayStore _store = new();
    private RelayWorld? _world;
    private SigningKey? _owner;
    private DocumentBuilder? _document;

    private RelayWorld World => _world!;

    private DocumentBuilder Document => _document!;

    public async ValueTask InitializeAsync()
    {
        _world = new(_store);
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
    public async Task An_acknowledgement_is_known_at_once_and_stored_after_the_interval_together_with_others()
    {
        var reader = await ReaderAsync();
        var stored = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var times = 0;
        var relay = Start(new(), Interception.Before<IRelayStore>(
            _store, (method, _, call) => method is nameof(IRelayStore.UpdateDeliveredAsync) ? StoreAsync((Task)call()!) : call()));
        Assert.Null(await AckAsync(relay, reader, 1));
        Assert.Null(await AckAsync(relay, reader, 3));
        Assert.Null(await AckAsync(relay, _owner!, 2));
        Assert.Equal([(reader.Public, 3UL), (_owner!.Public, 2UL)], (await DeliveredAsync(relay)).OrderByDescending(each => each.Item2));
        Assert.Empty(await _store.ReadDeliveredAsync(Document.Id, CancellationToken.None));
        _clock.Advance(new RelayLimits().AckInterval);
        await stored.Task.WaitAsync(Patience, TestContext.Current.CancellationToken);
        Assert.Equal(2, (await _store.ReadDeliveredAsync(Document.Id, CancellationToken.None)).Count);
        await relay.DisposeAsync();
        Assert.Equal(1, times);
        await using var next = Start(new());
        Assert.Equal([(reader.Public, 3UL), (_owner.Public, 2UL)], (await DeliveredAsync(next)).OrderByDescending(each => each.Item2));

        async Task StoreAsync(Task storing)
        {
            await storing;
            times++;
            stored.TrySetResult();
        }
    }

    [Fact]
    public async Task The_greatest_size_of_each_device_counts_in_whatever_order_they_are_said()
    {
        await using var relay = Start(new() { AckInterval = TimeSpan.Zero });
        foreach (var size in new[] { 2UL, 1UL, 0UL }) Assert.Null(await AckAsync(relay, _owner!, size));
        Assert.Equal([(_owner!.Public, 2UL)], await DeliveredAsync(relay));
    }

    [Fact]
    public async Task More_than_the_log_has_is_refused_and_a_stranger_is_told_nothing()
    {
        await using var relay = Start(new());
        var size = (ulong)Document.Envelopes.Count;
        Assert.Null(await AckAsync(relay, _owner!, size));
        Assert.Equal(Reason.BadArgument, (await AckAsync(relay, _owner!, size + 1))?.Reason);
        var stranger = World.Device();
        Assert.Equal(Refusal.NotFound, await AckAsync(relay, stranger, 0));
        Assert.Equal(Refusal.NotFound, (await relay.DeliveredAsync(stranger.Public, Document.Id, CancellationToken.None)).Refusal);
        Assert.Equal([(_owner!.Public, size)], await DeliveredAsync(relay));
    }

    [Fact]
    public async Task Who_may_not_have_the_document_any_more_is_not_shown()
    {
        var reader = await ReaderAsync();
        var relay = Start(new());
        Assert.Null(await AckAsync(relay, reader, 1));
        Assert.Single(await DeliveredAsync(relay));
        await relay.DisposeAsync();
        await World.AcceptAsync(_owner!, Document, Document.NextRevoke(_owner!, reader.Public));
        await using var next = Start(new());
        Assert.Empty(await DeliveredAsync(next));
    }

    [Fact]
    public async Task As_many_devices_as_the_limit_are_kept_and_the_oldest_makes_room_for_one_more()
    {
        await using var relay = Start(new() { DeliveredDevices = 3, AckInterval = TimeSpan.Zero });
        var readers = new List<SigningKey>();
        for (var i = 0; i < 4; i++)
        {
            readers.Add(await ReaderAsync());
            _clock.Advance(TimeSpan.FromSeconds(1));
            Assert.Null(await AckAsync(relay, readers[i], 1));
            Assert.Equal(readers.TakeLast(3).Select(reader => reader.Public).Order(), (await DeliveredAsync(relay)).Select(each => each.Item1).Order());
        }
    }

    [Fact]
    public async Task What_waits_beyond_the_limit_is_forgotten()
    {
        var (first, second) = (await ReaderAsync(), await ReaderAsync());
        await using var relay = Start(new() { WaitingAcks = 1 });
        Assert.Null(await AckAsync(relay, first, 1));
        Assert.Null(await AckAsync(relay, second, 1));
        Assert.Null(await AckAsync(relay, first, 2));
        Assert.Equal([(first.Public, 2UL)], await DeliveredAsync(relay));
    }

    [Fact]
    public async Task What_can_never_be_stored_is_left_out_and_the_rest_is_stored()
    {
        var other = await World.HostedAsync(_owner!);
        DocumentBuilder[] documents = [Document, other, await World.HostedAsync(_owner!)];
        var poisoned = documents.OrderBy(document => document.Id).First().Id;
        var faults = new List<Exception>();
        var store = Interception.Before<IRelayStore>(_store, (method, arguments, next) =>
            method is nameof(IRelayStore.UpdateDeliveredAsync) && ((IReadOnlyList<DocId>)arguments[0]!).Contains(poisoned)
                ? Task.FromException(new InvalidOperationException("a damaged row"))
                : next());
        await using (var relay = new DocumentRelay(World.Server, store, World.Tenants, _clock, onFault: faults.Add))
            foreach (var document in documents) Assert.Null(await relay.AckAsync(_owner!.Public, document.Id, 2, CancellationToken.None));

        foreach (var document in documents)
            Assert.Equal(document.Id == poisoned ? 0 : 1, (await _store.ReadDeliveredAsync(document.Id, CancellationToken.None)).Count);
        Assert.IsType<InvalidOperationException>(Assert.Single(faults));
    }

    [Fact]
    public async Task What_cannot_be_stored_now_is_stored_later()
    {
        var fails = true;
        var store = Interception.Before<IRelayStore>(_store, (method, _, next) => method is nameof(IRelayStore.UpdateDeliveredAsync) && fails
            ? Task.FromException(new TlfsException(Reason.Unavailable, "not now"))
            : next());
        using var failed = new SemaphoreSlim(0);
        await using (var relay = new DocumentRelay(World.Server, store, World.Tenants, _clock, new() { AckInterval = TimeSpan.Zero }, _ =>
        {
            fails = false;
            failed.Release();
        }))
        {
            Assert.Null(await AckAsync(relay, _owner!, 2));
            Assert.True(await failed.WaitAsync(TimeSpan.FromMinutes(1), TestContext.Current.CancellationToken));
        }

        Assert.Single(await _store.ReadDeliveredAsync(Document.Id, CancellationToken.None));
    }

    [Fact]
    public async Task A_restored_log_takes_back_what_was_acknowledged_beyond_it()
    {
        var reader = await ReaderAsync();
        await using (var relay = Start(new())) Assert.Null(await AckAsync(relay, reader, 3));
        _clock.Advance(TimeSpan.FromMinutes(1));
        var generation = new StoredGeneration(1, (ulong)(_clock.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks / 10, CompactBeginning(2));
        var said = Assert.Single(await _store.ReadDeliveredAsync(Document.Id, CancellationToken.None));
        Assert.Equal(3UL, said.Since([]).Size);
        Assert.Equal(2UL, said.Since([generation]).Size);
        Assert.Equal(3UL, (said with { Micros = generation.Micros }).Since([generation]).Size);
    }

    private DocumentRelay Start(RelayLimits limits, IRelayStore? store = null) => new(World.Server, store ?? _store, World.Tenants, _clock, limits, World.Faults.Enqueue);

    private CloudPeer.Sync.Log.CompactRange CompactBeginning(int size) =>
        Document.Envelopes.Take(size).Aggregate(CloudPeer.Sync.Log.CompactRange.Empty, (range, envelope) => range.Append(envelope.Id));

    private async Task<SigningKey> ReaderAsync()
    {
        var reader = World.Device();
        await World.AcceptAsync(_owner!, Document, Document.NextGrant(_owner!, reader.Public, Permission.Read));
        return reader;
    }

    private Task<Refusal?> AckAsync(DocumentRelay relay, SigningKey device, ulong size) => relay.AckAsync(device.Public, Document.Id, size, CancellationToken.None);

    private async Task<IReadOnlyList<(PeerId, ulong)>> DeliveredAsync(DocumentRelay relay) =>
        [.. (await relay.DeliveredAsync(_owner!.Public, Document.Id, CancellationToken.None)).Value!.Select(each => (each.Device, each.Size))];
}
