using CloudPeer.Sync.Relay;
using CloudPeer.TestKit.Relay;
using Tlfs.Core.Ids;
using Tlfs.Core.Policy;
using Xunit;

namespace CloudPeer.Sync.Tests.Relay;

/// <summary>What it costs to read a document that is not in memory, and to keep it there.</summary>
public sealed class DocumentLoadTests : IAsyncDisposable
{
    private readonly MemoryRelayStore _store = new();
    private readonly RelayWorld _world;

    public DocumentLoadTests() => _world = new(_store);

    [Fact]
    public async Task Those_who_ask_together_for_a_document_that_is_not_in_memory_share_one_read()
    {
        var owner = _world.Tenant();
        var document = await _world.HostedAsync(owner);
        var (gate, reads) = (new TaskCompletionSource(), 0);
        await using var relay = _world.Start(Interception.Before<IRelayStore>(
            _store, (method, _, next) => method is nameof(IRelayStore.ReadStatementsAsync) ? ReadAsync((Task<IReadOnlyList<PlacedEntry>>)next()!) : next()));

        var asked = Enumerable.Range(0, 50).Select(_ => relay.ReadAsync(owner.Public, document.Id, new(0), CancellationToken.None)).ToList();
        gate.SetResult();

        Assert.All(await Task.WhenAll(asked), page => Assert.Equal(2, page.Value?.Entries.Count));
        Assert.Equal(1, reads);

        async Task<IReadOnlyList<PlacedEntry>> ReadAsync(Task<IReadOnlyList<PlacedEntry>> found)
        {
            Interlocked.Increment(ref reads);
            await gate.Task;
            return await found;
        }
    }

    [Fact]
    public async Task Statements_are_read_page_by_page()
    {
        var owner = _world.Tenant();
        var document = await _world.HostedAsync(owner);
        for (var i = 0; i < 5; i++)
            await _world.AcceptAsync(owner, document, document.NextGrant(owner, _world.Device().Public, Permission.Read), document.NextDelta(owner));
        var sizes = new List<int>();
        await using var relay = _world.Start(
            Interception.Before<IRelayStore>(_store, (method, arguments, next) =>
            {
                if (method is nameof(IRelayStore.ReadStatementsAsync)) sizes.Add((int)arguments[3]!);
                return next();
            }),
            new() { PageEnvelopes = 3 });

        Assert.Equal(document.Envelopes.Count, (await RelayWorld.ReadAllAsync(relay, owner, document.Id)).Count);
        Assert.Equal([3, 3, 1], sizes);
    }

    [Fact]
    public async Task Documents_with_large_statements_leave_memory_sooner()
    {
        var owner = _world.Tenant();
        var (small, large) = (new List<DocId>(), new List<DocId>());
        for (var i = 0; i < 8; i++)
        {
            small.Add((await _world.HostedAsync(owner)).Id);
            var document = await _world.HostedAsync(owner);
            var grants = Enumerable.Range(0, 20).Select(_ => document.NextGrant(owner, _world.Device().Public, Permission.Read)).ToArray();
            await _world.AcceptAsync(owner, document, grants);
            large.Add(document.Id);
        }

        // Enough for the statements of all of them by their number, and not by their bytes.
        Assert.Equal(8, await KeptAsync(small));
        Assert.InRange(await KeptAsync(large), 1, 7);

        async Task<int> KeptAsync(List<DocId> documents)
        {
            var (store, proxy) = StoreProxy.Around(_store);
            await using var relay = _world.Start(store, new() { CachedItems = 8 * 120 });
            foreach (var document in documents) await RelayWorld.ReadAllAsync(relay, owner, document);
            var before = proxy.Calls(nameof(IRelayStore.ReadStatementsAsync));
            foreach (var document in Enumerable.Reverse(documents)) await RelayWorld.ReadAllAsync(relay, owner, document);
            return documents.Count - (proxy.Calls(nameof(IRelayStore.ReadStatementsAsync)) - before);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _world.DisposeAsync();
        await _store.DisposeAsync();
    }
}
