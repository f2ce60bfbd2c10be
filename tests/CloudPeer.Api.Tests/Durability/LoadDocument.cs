using CloudPeer.Sync.Client;
using CloudPeer.Sync.Log;
using CloudPeer.TestKit;
using Tlfs.Core.Crypto;
using Tlfs.Core.Ids;
using Tlfs.Core.Policy;
using Tlfs.Core.Sealing;
using Xunit;

namespace CloudPeer.Api.Tests.Durability;

/// <summary>A document with several writers, and its log as far as it was checked.</summary>
internal sealed class LoadDocument
{
    private readonly DocumentBuilder _builder;
    private readonly SigningKey _owner;
    private readonly List<EnvelopeId> _log = [];
    private readonly List<Bytes32> _roots = [];
    private readonly Dictionary<PeerId, int> _chains = [];
    private CompactRange _range = CompactRange.Empty;

    public LoadDocument(ulong seed, SigningKey owner, PeerId server, int writers)
    {
        var entropy = new SeededEntropy(seed);
        _owner = owner;
        _builder = new(entropy, owner);
        _builder.NextGrant(owner, server, Permission.Sync);
        Writers = [.. Enumerable.Range(0, writers).Select(_ => new LoadWriter(SigningKey.Generate(entropy), _builder.Id))];
        foreach (var writer in Writers) _builder.NextGrant(owner, writer.Key.Public, Permission.Write);
        Beginning = [.. _builder.Envelopes];
    }

    public IReadOnlyList<LoadWriter> Writers { get; }

    /// <summary>Devices that follow it; none at first.</summary>
    public IReadOnlyList<LoadFollower> Followers { get; private set; } = [];

    public DocId Id => _builder.Id;

    /// <summary>Genesis and grants.</summary>
    public IReadOnlyList<Envelope> Beginning { get; }

    /// <summary>Entries of the log that were checked.</summary>
    public int Size => _log.Count;

    /// <summary>Fills each writer's outbox up to a number of envelopes.</summary>
    public void Prepare(int perWriter)
    {
        foreach (var writer in Writers)
        {
            // Without deps, since nobody knows which of the others' envelopes will have arrived.
            for (var missing = perWriter - writer.Outbox.Count; missing > 0; missing--)
                writer.Add(_builder.NextDelta(writer.Key, draft => draft with { Deps = [] }));
        }
    }

    /// <summary>Each writer's device follows as well: at one node until that fails, which it has to, and then at another one until it holds what is in all outboxes now.</summary>
    /// <param name="grpcUrl">The node that fails.</param>
    /// <param name="nextGrpcUrl">The other one.</param>
    /// <param name="server">Their server.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>What completes with all of them; in it what ends with all of them.</returns>
    public async Task<Task> FollowAsync(string grpcUrl, string nextGrpcUrl, PeerId server, CancellationToken cancellationToken)
    {
        var size = Beginning.Count + Writers.Sum(writer => writer.Receipts.Count + writer.Outbox.Count);
        Followers = [.. Writers.Select(writer => new LoadFollower(writer.Key, Id))];
        var all = Task.WhenAll(Followers.Select(follower => Task.Run(async () =>
        {
            Assert.NotNull(await follower.RunAsync(grpcUrl, server, size, cancellationToken));
            Assert.Null(await follower.RunAsync(nextGrpcUrl, server, size, cancellationToken));
            Assert.Equal(size, follower.Held.Count);
        })));
        await Task.WhenAny(all, Task.WhenAll(Followers.Select(follower => follower.Begun)));
        return all;
    }

    /// <summary>
    /// Reads on in the log and checks all that a server promises: indexes are dense, each envelope is there once, each author's chain is whole, each receipt
    /// is for what lies at its index, and the signed root is the one that follows from the ids.
    /// </summary>
    /// <param name="connection">The owner's connection.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task CheckAsync(CloudpeerConnection connection, CancellationToken cancellationToken)
    {
        LogHead? head = null;
        await foreach (var page in connection.PullAsync(Id, new((ulong)_log.Count), cancellationToken))
        {
            Assert.Equal((ulong)_log.Count, page.FirstIndex);
            foreach (var entry in page.Entries) Take(entry.Envelope!);
            head = page.Head;
        }

        Assert.True(head!.Verify());
        Assert.Equal((connection.Server, _range.Size, _range.Root), (head.Server, head.Size, head.Root));
        foreach (var writer in Writers) CheckReceipts(writer, connection.Server);
        foreach (var follower in Followers) Assert.Equal(_log.Take(follower.Held.Count), follower.Held);
    }

    /// <summary>Reads the whole log again: nothing of what was checked earlier has changed since.</summary>
    public async Task CheckFromTheStartAsync(CloudpeerConnection connection, CancellationToken cancellationToken)
    {
        var index = 0;
        await foreach (var page in connection.PullAsync(Id, new(0), cancellationToken))
            foreach (var entry in page.Entries) Assert.Equal(_log[index++], entry.Id);
        Assert.Equal(_log.Count, index);
    }

    // An author's envelopes come in the order of its chain, so none comes twice and none is left out.
    private void Take(Envelope envelope)
    {
        var author = envelope.Header.Author;
        var known = _chains.GetValueOrDefault(author);
        Assert.Equal(_builder.Chain(author)[known].Id, envelope.Id);
        Assert.True(envelope.VerifySignature());
        _chains[author] = known + 1;
        _log.Add(envelope.Id);
        _range = _range.Append(envelope.Id);
        _roots.Add(_range.Root);
    }

    private void CheckReceipts(LoadWriter writer, PeerId server)
    {
        foreach (var (envelope, receipt) in writer.Receipts)
        {
            var index = (int)receipt.Leaf.Index;
            Assert.True(index < _log.Count, "an envelope that was acknowledged is not there");
            Assert.Equal((envelope, _roots[index]), (_log[index], receipt.Leaf.Root));
            Assert.True(receipt.Server == server && receipt.Leaf.Document == Id && receipt.Leaf.Envelope == envelope && receipt.Verify());
        }

        // What is in the log and not acknowledged was under way: one envelope of each writer at the most.
        Assert.InRange(_chains.GetValueOrDefault(writer.Key.Public), writer.Receipts.Count, writer.Receipts.Count + 1);
    }
}
