using CloudPeer.Sync.Log;
using CloudPeer.Sync.Wire;
using Google.Protobuf;
using Tlfs.Core;
using Tlfs.Core.Ids;
using Tlfs.Core.Radix;

namespace CloudPeer.Sync.Client;

/// <summary>Which envelopes of a document only one of two sides holds; proven against the set that the server announced (docs/protocol/reconcile.md §4).</summary>
/// <param name="Size">Envelopes of the server's log that were compared.</param>
/// <param name="OnlyHere">Those that the server lacks.</param>
/// <param name="OnlyThere">Those that are lacking here.</param>
public sealed record LogDifference(ulong Size, IReadOnlyCollection<EnvelopeId> OnlyHere, IReadOnlyCollection<EnvelopeId> OnlyThere);

/// <summary>A device said that it holds a log up to a size (docs/protocol/sync.md §8).</summary>
/// <param name="Device">The device.</param>
/// <param name="Size">It holds all entries below.</param>
/// <param name="Micros">When it said so, by the server's clock, microseconds since 1970.</param>
public readonly record struct DeviceProgress(PeerId Device, ulong Size, ulong Micros);

// Heads with proofs, reconciliation, delivery.
public sealed partial class CloudpeerConnection
{
    // A server that is busy, or counts what an answer cost it, asks for a moment; one that prepares for a long log keeps what it did in time.
    private const int AttemptsPerMessage = 8;
    private const int MaxDevices = 4096;

    // Its proof has a hash for each bit of a size, and one more.
    private const int MaxProof = 65;

    /// <summary>The signed head of a log now, and the proof that it begins with what it was at a size; the caller verifies both.</summary>
    /// <param name="document">The document.</param>
    /// <param name="fromSize">A size that is known here; 0 for no proof.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <exception cref="TlfsException"><c>not-found</c>, …</exception>
    public async Task<ProvenHead> GetHeadAsync(DocId document, ulong fromSize, CancellationToken cancellationToken)
    {
        var request = new V1.GetHeadRequest { Document = document.ToWire(), FromSize = fromSize };
        var response = await PatientlyAsync(() => CallAsync(options => _sync.GetHeadAsync(request, options), cancellationToken), cancellationToken).ConfigureAwait(false);
        if (response.Proof.Count > MaxProof) throw new TlfsException(Reason.Malformed, "the server's consistency proof is longer than one can be");
        return new(WireLog.Read(response.Head ?? new()), [.. response.Proof.Select(hash => WireIds.ReadBytes32(hash, "proof"))]);
    }

    /// <summary>Finds out which envelopes only the server holds, and which it lacks, with little traffic if both hold nearly the same (docs/protocol/sync.md §7).</summary>
    /// <param name="document">The document.</param>
    /// <param name="own">All that is held here.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <exception cref="TlfsException"><c>not-found</c>, <c>too-large</c>, <c>malformed</c> if the answers do not make the set that the server announced, …</exception>
    public async Task<LogDifference> ReconcileAsync(DocId document, IReadOnlyCollection<EnvelopeId> own, CancellationToken cancellationToken)
    {
        var ids = TreeOf(own);
        var initiator = new ReconcileInitiator(ids, default, _entropy);
        var size = 0UL;
        for (var next = initiator.Start(); next is not null;)
        {
            var isHello = initiator.Hello.Span.SequenceEqual(next);
            var request = new V1.ReconcileRequest
            {
                Document = document.ToWire(),
                Size = size,
                Hello = initiator.Hello.ToWire(),
                Ask = isHello ? ByteString.Empty : UnsafeByteOperations.UnsafeWrap(next),
            };
            var response = await PatientlyAsync(() => CallAsync(options => _sync.ReconcileAsync(request, options), cancellationToken), cancellationToken).ConfigureAwait(false);
            if (response.Size == 0 || (size != 0 && response.Size != size)) throw Unfit();
            size = response.Size;
            if (!initiator.TryReceive(response.Message.Memory, out next, out var error)) throw new TlfsException(error.Reason, $"the server's part of the reconciliation is refused: {error.Detail}");
        }

        if ((ulong)(ids.Count - initiator.OnlyHere.Count + initiator.OnlyThere.Count) != size) throw Unfit();
        return new(size, [.. initiator.OnlyHere.Select(id => new EnvelopeId(id))], [.. initiator.OnlyThere.Select(id => new EnvelopeId(id))]);
    }

    /// <summary>Says up to where this device holds a document: the other devices of the document may see it (docs/protocol/sync.md §8).</summary>
    public async Task AckAsync(DocId document, ulong size, CancellationToken cancellationToken)
    {
        var request = new V1.AckDocumentRequest { Document = document.ToWire(), Size = size };
        await CallAsync(options => _sync.AckAsync(request, options), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Up to where the document's devices have said that they hold it: the server's word, without a proof.</summary>
    public async Task<IReadOnlyList<DeviceProgress>> GetDeliveredAsync(DocId document, CancellationToken cancellationToken)
    {
        var request = new V1.GetDeliveredRequest { Document = document.ToWire() };
        var response = await CallAsync(options => _sync.GetDeliveredAsync(request, options), cancellationToken).ConfigureAwait(false);
        return [.. response.Devices.Take(MaxDevices).Select(each => new DeviceProgress(WireIds.Read<PeerId>(each.Peer, "device"), each.Size, each.Micros))];
    }

    private static TlfsException Unfit() => new(Reason.Malformed, "the server's part of the reconciliation is refused: it is not about one size of the log");

    private static RadixTree TreeOf(IReadOnlyCollection<EnvelopeId> ids)
    {
        var editor = RadixTree.Empty.Edit();
        Span<byte> key = stackalloc byte[Bytes32.Size];
        foreach (var id in ids)
        {
            id.Value.CopyTo(key);
            editor.Set(key, []);
        }

        return editor.Snapshot();
    }

    // The server keeps nothing of these calls, so the same one again is no other.
    private async Task<T> PatientlyAsync<T>(Func<Task<T>> call, CancellationToken cancellationToken)
    {
        var backoff = new Backoff(_entropy, _time);
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await call().ConfigureAwait(false);
            }
            catch (TlfsException e) when (e.Reason is Reason.RateLimited or Reason.Unavailable or Reason.Timeout && attempt < AttemptsPerMessage)
            {
                await backoff.WaitAsync(e, cancellationToken).ConfigureAwait(false);
            }
        }
    }
}
