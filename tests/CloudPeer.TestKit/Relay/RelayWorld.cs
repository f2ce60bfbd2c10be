using System.Collections.Concurrent;
using CloudPeer.Sync.Log;
using CloudPeer.Sync.Relay;
using Tlfs.Core.Crypto;
using Tlfs.Core.Ids;
using Tlfs.Core.Policy;
using Tlfs.Core.Sealing;
using Xunit;

namespace CloudPeer.TestKit.Relay;

/// <summary>A relay over a store, people with devices, and the shortest ways to push and read. Everything follows from the seed.</summary>
public sealed class RelayWorld : IAsyncDisposable
{
    private readonly ConcurrentBag<IDisposable> _keys = [];
    private readonly TimeProvider _time;

    /// <summary>A relay over a store, which the world does not own.</summary>
    /// <param name="store">The store.</param>
    /// <param name="seed">Makes all keys and noise.</param>
    /// <param name="limits">The relay's limits; the defaults if null.</param>
    /// <param name="time">The relays' clock; the system's if null.</param>
    public RelayWorld(IRelayStore store, ulong seed = 1, RelayLimits? limits = null, TimeProvider? time = null)
    {
        _time = time ?? TimeProvider.System;
        Entropy = new(seed);
        Server = Device();
        Store = store;
        Relay = Start(store, limits);
    }

    /// <summary>The source of keys and noise.</summary>
    public SeededEntropy Entropy { get; }

    /// <summary>The server's key.</summary>
    public SigningKey Server { get; }

    /// <summary>The store.</summary>
    public IRelayStore Store { get; }

    /// <summary>Who may host.</summary>
    public TestTenants Tenants { get; } = new();

    /// <summary>The relay.</summary>
    public DocumentRelay Relay { get; }

    /// <summary>Faults that relays of this world reported.</summary>
    public ConcurrentQueue<Exception> Faults { get; } = [];

    /// <summary>Another relay with the same key, as a second process over the same database would be.</summary>
    public DocumentRelay Start(IRelayStore store, RelayLimits? limits = null) => new(Server, store, Tenants, _time, limits, Faults.Enqueue);

    /// <summary>Another relay, which notes what devices are charged.</summary>
    public DocumentRelay Charging(IRelayStore store, ConcurrentQueue<(PeerId Device, long Calls)> charged, RelayLimits limits) =>
        new(Server, store, Tenants, _time, limits, Faults.Enqueue, (device, calls) =>
        {
            charged.Enqueue((device, calls));
            return true;
        });

    /// <summary>A device that belongs to no tenant.</summary>
    public SigningKey Device()
    {
        var key = SigningKey.Generate(Entropy);
        _keys.Add(key);
        return key;
    }

    /// <summary>A device with a tenant's account.</summary>
    public SigningKey Tenant(ulong quotaBytes = 0)
    {
        var device = Device();
        Tenants.Register(device.Public, quotaBytes);
        return device;
    }

    /// <summary>A document of the owner's that the server does not know yet.</summary>
    public DocumentBuilder Document(SigningKey owner) => new(Entropy, owner);

    /// <summary>A document that the server hosts for everybody who has Sync: genesis and the server's grant are in the log.</summary>
    public async Task<DocumentBuilder> HostedAsync(SigningKey owner)
    {
        var document = Document(owner);
        await AcceptAsync(owner, document, document.Genesis, document.NextGrant(owner, Server.Public, Permission.Sync));
        return document;
    }

    /// <summary>Pushes one bundle.</summary>
    public Task<Outcome<IReadOnlyList<Receipt>>> PushAsync(SigningKey pusher, DocumentBuilder document, params Envelope[] bundle) =>
        PushAsync(Relay, pusher, document.Id, bundle);

    /// <summary>Pushes one bundle over a relay.</summary>
    public static async Task<Outcome<IReadOnlyList<Receipt>>> PushAsync(DocumentRelay relay, SigningKey pusher, DocId document, params Envelope[] bundle)
    {
        var results = await relay.PushAsync(pusher.Public, document, [[.. bundle.Select(envelope => envelope.Bytes)]], CancellationToken.None);
        return Assert.Single(results);
    }

    /// <summary>Pushes each envelope as a bundle of its own, all in one push.</summary>
    public static Task<IReadOnlyList<Outcome<IReadOnlyList<Receipt>>>> PushEachAsync(DocumentRelay relay, SigningKey pusher, DocId document, params Envelope[] envelopes) =>
        relay.PushAsync(pusher.Public, document, [.. envelopes.Select(envelope => (IReadOnlyList<ReadOnlyMemory<byte>>)[envelope.Bytes])], CancellationToken.None);

    /// <summary>Pushes one bundle, which must be accepted with receipts that verify.</summary>
    public async Task<IReadOnlyList<Receipt>> AcceptAsync(SigningKey pusher, DocumentBuilder document, params Envelope[] bundle)
    {
        var outcome = await PushAsync(pusher, document, bundle);
        Assert.True(outcome.Succeeded, outcome.Refusal?.ToString());
        Assert.Equal(bundle.Select(envelope => envelope.Id), outcome.Value.Select(receipt => receipt.Leaf.Envelope));
        Assert.All(outcome.Value, receipt => Assert.True(receipt.Verify() && receipt.Server == Server.Public));
        return outcome.Value;
    }

    /// <summary>Pushes one bundle, which must be refused, with the names of all its envelopes.</summary>
    public async Task<Refusal> RefuseAsync(SigningKey pusher, DocumentBuilder document, params Envelope[] bundle)
    {
        var outcome = await PushAsync(pusher, document, bundle);
        Assert.False(outcome.Succeeded, "The bundle was accepted.");
        Assert.Equal(bundle.Select(envelope => envelope.Id), outcome.Refusal.Envelopes);
        return outcome.Refusal;
    }

    /// <summary>The relay must not let the device know of the document, whatever it asks.</summary>
    public async Task AssertNotServedAsync(SigningKey reader, DocumentBuilder document)
    {
        Assert.False(await Relay.MayReadAsync(reader.Public, document.Id, CancellationToken.None));
        Assert.Equal(Refusal.NotFound, (await Relay.ReadAsync(reader.Public, document.Id, new(0), CancellationToken.None)).Refusal);
        Assert.Equal(Refusal.NotFound, (await Relay.HeadAsync(reader.Public, document.Id, 0, CancellationToken.None)).Outcome.Refusal);
        Assert.Equal(Refusal.NotFound, await Relay.WaitAsync(reader.Public, document.Id, 0, CancellationToken.None));
        Assert.Equal(Refusal.NotFound with { Envelopes = [] }, (await RefuseAsync(reader, document, document.Genesis)) with { Envelopes = [] });
    }

    /// <summary>Reads a whole log as a client does: pages, then a head that fits what was read.</summary>
    public static async Task<IReadOnlyList<ServedEntry>> ReadAllAsync(DocumentRelay relay, SigningKey reader, DocId document)
    {
        var entries = new List<ServedEntry>();
        var range = CompactRange.Empty;
        while (true)
        {
            var page = await relay.ReadAsync(reader.Public, document, new((ulong)entries.Count), CancellationToken.None);
            Assert.True(page.Succeeded, page.Refusal?.ToString());
            Assert.Equal((ulong)entries.Count, page.Value.FirstIndex);
            entries.AddRange(page.Value.Entries);
            range = page.Value.Entries.Aggregate(range, (log, entry) => log.Append(entry.Id));
            if (page.Value.CaughtUp is not { } head) continue;
            Assert.True(head.Verify());
            Assert.Equal((range.Size, range.Root), (head.Size, head.Root));
            return entries;
        }
    }

    /// <summary>Every byte of receipts, to compare them.</summary>
    public static string Text(IEnumerable<Receipt> receipts) => string.Join('\n', receipts.Select(receipt =>
        $"{receipt.Leaf} {receipt.LeafIndex}/{receipt.LeafCount} {string.Join(' ', receipt.Path)} {Convert.ToHexString(receipt.Signature)} {receipt.Server}"));

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        await Relay.DisposeAsync();
        foreach (var key in _keys) key.Dispose();
    }
}
