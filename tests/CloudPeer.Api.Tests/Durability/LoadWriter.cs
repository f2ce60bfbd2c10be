using System.Collections.Concurrent;
using CloudPeer.Sync.Client;
using CloudPeer.Sync.Log;
using Tlfs.Core;
using Tlfs.Core.Crypto;
using Tlfs.Core.Ids;
using Tlfs.Core.Sealing;
using Xunit;

namespace CloudPeer.Api.Tests.Durability;

/// <summary>
/// A client as the protocol asks for one: pushes its envelopes one after the other, and pushes again whatever has no receipt, to the same server or to
/// another node of it.
/// </summary>
internal sealed class LoadWriter(SigningKey key, DocId document) : IDisposable
{
    // What a client may be told by a server that dies, or whose database does.
    private static readonly Reason[] Transient = [Reason.Unreachable, Reason.Unavailable, Reason.StorageFull, Reason.Timeout];

    private readonly ConcurrentQueue<Envelope> _outbox = [];
    private readonly Dictionary<EnvelopeId, Receipt> _receipts = [];

    public SigningKey Key { get; } = key;

    /// <summary>Envelopes that are not acknowledged yet, the next one first.</summary>
    public IReadOnlyCollection<Envelope> Outbox => _outbox;

    /// <summary>What was acknowledged. Not to be read while it runs.</summary>
    public IReadOnlyDictionary<EnvelopeId, Receipt> Receipts => _receipts;

    public void Add(Envelope envelope) => _outbox.Enqueue(envelope);

    /// <summary>Pushes to one node until few enough envelopes are left or the node fails, and says why it failed.</summary>
    /// <param name="grpcUrl">The node.</param>
    /// <param name="server">Its server.</param>
    /// <param name="left">How many envelopes may be left.</param>
    /// <param name="onReceipt">Called for each receipt.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>Null when it is done.</returns>
    public async Task<Reason?> RunAsync(string grpcUrl, PeerId server, int left, Action onReceipt, CancellationToken cancellationToken)
    {
        await using var connection = new CloudpeerConnection(grpcUrl, server, Key, SystemEntropy.Instance, TimeProvider.System);
        try
        {
            while (_outbox.Count > left && _outbox.TryPeek(out var next))
            {
                var result = Assert.Single(await connection.PushAsync(document, [[next]], cancellationToken));
                if (result.Refusal is { } refusal) return Expect(refusal.Reason, refusal.Message);
                _receipts.Add(next.Id, Assert.Single(result.Receipts));
                _outbox.TryDequeue(out _);
                onReceipt();
            }

            return null;
        }
        catch (TlfsException failure)
        {
            return Expect(failure.Reason, $"{failure.Message} {failure.InnerException}");
        }
    }

    /// <summary>Pushes until few enough envelopes are left: after a failure it waits as clients do, and takes the next node.</summary>
    public async Task RunAsync(IReadOnlyList<string> grpcUrls, int first, PeerId server, int left, Action onReceipt, CancellationToken cancellationToken)
    {
        var backoff = new Backoff(SystemEntropy.Instance, TimeProvider.System);
        for (var node = first; ; node++)
        {
            void Acknowledge()
            {
                backoff.Reset();
                onReceipt();
            }

            if (await RunAsync(grpcUrls[node % grpcUrls.Count], server, left, Acknowledge, cancellationToken) is not { } reason) return;
            await backoff.WaitAsync(new(reason, "the node failed"), cancellationToken);
        }
    }

    public void Dispose() => Key.Dispose();

    private static Reason Expect(Reason reason, string message)
    {
        Assert.True(Transient.Contains(reason), $"{reason}: {message}");
        return reason;
    }
}
