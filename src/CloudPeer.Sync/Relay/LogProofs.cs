using CloudPeer.Sync.Log;
using Tlfs.Core;
using Tlfs.Core.Ids;

namespace CloudPeer.Sync.Relay;

/// <summary>
/// Consistency proofs of logs (log.md §3.4). The roots of the complete subtrees of 256 envelopes are kept in memory, 32 bytes for each: the first proof of a log
/// reads its ids once, and each later one at most two such subtrees and what the log grew by.
/// </summary>
internal sealed class LogProofs(IRelayStore store, RelayLimits limits) : IDisposable
{
    private const int TileIds = 256;
    private const int PageIds = 16 * TileIds;
    private readonly DocumentShelf<List<Bytes32>> _shelf = new(limits.ProofTiles);

    /// <summary>The proof from a size to that of the state; empty if there is nothing to prove.</summary>
    /// <param name="state">The document.</param>
    /// <param name="from">The smaller size.</param>
    /// <param name="cancellationToken">Gives up; what was read so far is kept.</param>
    public async Task<Costed<IReadOnlyList<Bytes32>>> ProveAsync(DocumentState state, ulong from, CancellationToken cancellationToken)
    {
        if (from == 0 || from >= state.Size) return new(Outcome.Of<IReadOnlyList<Bytes32>>([]), 0);
        if (await store.FindReceiptAsync(state.Document, from - 1, cancellationToken).ConfigureAwait(false) is not { } place) return Refuse("The log was restored meanwhile.");
        if (state.Size / TileIds >= (ulong)limits.ProofTiles)
            return new(Outcome.Refused<IReadOnlyList<Bytes32>>(new(Reason.TooLarge, "The log is too long for a proof; it can be pulled, and its head compared.")), 0);
        using var lease = await _shelf.EnterAsync(state.Document, cancellationToken).ConfigureAwait(false);
        if (!lease.TryReserve((long)(state.Size / TileIds) + 1)) return Refuse("The server proves other logs; try again.");
        var tiles = lease.Value ?? [];
        long steps = 0;
        try
        {
            steps = await ExtendAsync(state, tiles, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            lease.Keep(tiles, tiles.Count + 1);
        }

        if ((ulong)tiles.Count < state.Size / TileIds) return Refuse("The log is long; its proof is being prepared.", steps);
        var proof = new List<Bytes32>();
        foreach (var (start, count) in MerkleTree.ConsistencyRanges(from, state.Size))
            proof.Add(await RootAsync(state.Document, tiles, start, count, cancellationToken).ConfigureAwait(false));
        if (MerkleTree.VerifyConsistency(from, place.Root, state.Size, state.Log.Root, proof)) return new(Outcome.Of<IReadOnlyList<Bytes32>>(proof), steps + 2 * TileIds);

        // What is kept is that of a log that was deleted or restored.
        lease.Keep(null, 0);
        return Refuse("The log was changed from outside meanwhile; try again.");
    }

    /// <inheritdoc />
    public void Dispose() => _shelf.Dispose();

    private static Costed<IReadOnlyList<Bytes32>> Refuse(string message, long steps = 0) => new(Outcome.Refused<IReadOnlyList<Bytes32>>(Refusal.Busy(message)), steps);

    private async Task<long> ExtendAsync(DocumentState state, List<Bytes32> tiles, CancellationToken cancellationToken)
    {
        var wanted = state.Size / TileIds;

        // Those of a longer log: it has grown since the state was read, or the state is of another one, which the proof tells.
        if ((ulong)tiles.Count >= wanted) return 0;
        long steps = 0;
        while (Math.Min(wanted - (ulong)tiles.Count, (ulong)((limits.ProofIds - steps) / TileIds)) is > 0 and var more)
        {
            var ids = await ReadAsync(state.Document, (ulong)tiles.Count * TileIds, (int)Math.Min(PageIds, more * TileIds), cancellationToken).ConfigureAwait(false);
            tiles.AddRange(ids.Chunk(TileIds).Where(tile => tile.Length == TileIds).Select(tile => MerkleTree.Root(tile)));
            steps += ids.Length;
            if (ids.Length < TileIds) break;
        }

        return steps;
    }

    // Whole tiles first; they and the rest are the leaves of a tree of the same shape.
    private async Task<Bytes32> RootAsync(DocId document, List<Bytes32> tiles, ulong start, ulong count, CancellationToken cancellationToken)
    {
        List<Bytes32> roots = [];
        if (start % TileIds == 0) roots.AddRange(tiles.Skip((int)(start / TileIds)).Take((int)(count / TileIds)));
        var covered = (ulong)roots.Count * TileIds;
        if (covered < count) roots.Add(MerkleTree.Root(await ReadAsync(document, start + covered, (int)(count - covered), cancellationToken).ConfigureAwait(false)));
        return MerkleTree.Root(roots);
    }

    private async Task<Bytes32[]> ReadAsync(DocId document, ulong from, int count, CancellationToken cancellationToken) =>
        [.. (await store.ReadIdsAsync(document, from, count, cancellationToken).ConfigureAwait(false)).Select(place => MerkleTree.Leaf(place.Id.Value))];
}
