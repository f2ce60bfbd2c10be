using CloudPeer.Sync.Log;
using Tlfs.Core;
using Tlfs.Core.Ids;
using Tlfs.Core.Radix;

namespace CloudPeer.Sync.Relay;

/// <summary>An answer and what it cost, whether it was given or not.</summary>
/// <typeparam name="T">The answer.</typeparam>
/// <param name="Outcome">The answer.</param>
/// <param name="Steps">Ids of envelopes that had to be read from the store for it.</param>
public readonly record struct Costed<T>(Outcome<T> Outcome, long Steps)
    where T : class;

/// <summary>
/// The ids of logs as radix trees, for reconciliation (sync.md §7). The set at one size of a log is made from that at another by what lies between, so a log
/// that grows costs what it grew by. Made for one document by one caller at a time, in steps that are kept if the caller goes away.
/// </summary>
internal sealed class LogIdSets(IRelayStore store, RelayLimits limits) : IDisposable
{
    private const int PageIds = 4096;
    private const int KeptVersions = 4;
    private readonly DocumentShelf<Versions> _shelf = new((long)limits.ComparedIds + limits.ComparedGrowth);

    /// <summary>The ids of the first envelopes of a log, as keys with empty values.</summary>
    /// <param name="state">The document, not older than the size.</param>
    /// <param name="size">Envelopes of the log.</param>
    /// <param name="cancellationToken">Gives up; what was made so far is kept.</param>
    public async Task<Costed<RadixTree>> FindAsync(DocumentState state, ulong size, CancellationToken cancellationToken)
    {
        if (size > (ulong)limits.ComparedIds)
            return Refuse(new(Reason.TooLarge, $"The log has more than {limits.ComparedIds} envelopes; it can be pulled, and not be compared."));
        if (size > state.Size || state.Size - size > (ulong)limits.ComparedGrowth)
            return Refuse(new(Reason.BadArgument, "The log has grown by too much since the comparison began, or was restored; begin anew."));
        using var lease = await _shelf.EnterAsync(state.Document, cancellationToken).ConfigureAwait(false);
        var most = Math.Max(size, lease.Value?.Largest ?? 0);
        if (!lease.TryReserve((long)(most + Math.Min(most, (ulong)limits.ComparedGrowth)))) return Refuse(Refusal.Busy("The server compares other logs; try again."));
        var versions = await CurrentAsync(lease.Value, state.Document, cancellationToken).ConfigureAwait(false);
        long steps = 0;
        while (versions.Find(size) is null)
        {
            var nearest = versions.Nearest(size);
            var next = nearest.Size < size ? Math.Min(size, nearest.Size + (ulong)limits.ComparedStep) : size;
            steps += (long)Math.Max(next, nearest.Size) - (long)Math.Min(next, nearest.Size);
            if (await MoveAsync(state.Document, nearest, next, cancellationToken).ConfigureAwait(false) is not { } made)
                return Refuse(Refusal.Busy("The log was changed from outside meanwhile; begin anew."), steps);
            versions = versions.With(made with { IsStep = next != size }, instead: nearest.IsStep ? nearest : null, (ulong)limits.ComparedGrowth);
            lease.Keep(versions, (long)(versions.Largest + versions.Beside));
        }

        return new(Outcome.Of(versions.Find(size)!.Tree), steps);
    }

    /// <inheritdoc />
    public void Dispose() => _shelf.Dispose();

    private static Costed<RadixTree> Refuse(Refusal refusal, long steps = 0) => new(Outcome.Refused<RadixTree>(refusal), steps);

    // A log that was deleted or restored is another one: its root tells, at the size of what is kept.
    private async Task<Versions> CurrentAsync(Versions? kept, DocId document, CancellationToken cancellationToken)
    {
        if (kept?.Newest is not { } newest) return Versions.None;
        return await RootAsync(document, newest.Size, cancellationToken).ConfigureAwait(false) == newest.Root ? kept : Versions.None;
    }

    private async Task<Bytes32?> RootAsync(DocId document, ulong size, CancellationToken cancellationToken) => size == 0
        ? MerkleTree.EmptyRoot
        : (await store.FindReceiptAsync(document, size - 1, cancellationToken).ConfigureAwait(false))?.Root;

    // Null if the log is not what it was when this began.
    private async Task<Version?> MoveAsync(DocId document, Version from, ulong to, CancellationToken cancellationToken)
    {
        var larger = Math.Max(from.Size, to);
        var before = await RootAsync(document, larger, cancellationToken).ConfigureAwait(false);
        var root = larger == to ? before : await RootAsync(document, to, cancellationToken).ConfigureAwait(false);
        if (before is null || root is null || (larger == from.Size && before != from.Root)) return null;
        var editor = from.Tree.Edit();
        for (var next = Math.Min(from.Size, to); next < larger;)
        {
            var places = await store.ReadIdsAsync(document, next, (int)Math.Min(PageIds, larger - next), cancellationToken).ConfigureAwait(false);
            if (places.Count == 0) return null;
            foreach (var place in places) Change(editor, place.Id, joins: to == larger);
            next += (ulong)places.Count;
        }

        var tree = editor.Snapshot();

        // Hashed here, so that whoever comes next finds it done.
        _ = tree.Hash;
        var after = await RootAsync(document, larger, cancellationToken).ConfigureAwait(false);
        return after == before && (ulong)tree.Count == to ? new(to, root.Value, tree, IsStep: false) : null;
    }

    private static void Change(RadixEditor editor, EnvelopeId id, bool joins)
    {
        Span<byte> key = stackalloc byte[Bytes32.Size];
        id.Value.CopyTo(key);
        if (joins) editor.Set(key, []);
        else editor.Remove(key);
    }

    /// <summary>The set at one size.</summary>
    private sealed record Version(ulong Size, Bytes32 Root, RadixTree Tree, bool IsStep);

    /// <summary>The sets of one log that are kept, the one used last first. They share what they have in common.</summary>
    private sealed record Versions(IReadOnlyList<Version> All)
    {
        private static readonly Version Start = new(0, MerkleTree.EmptyRoot, RadixTree.Empty, IsStep: false);

        public static Versions None { get; } = new([]);

        public Version? Newest => All.MaxBy(version => version.Size);

        public ulong Largest => Newest?.Size ?? 0;

        /// <summary>By how many ids the others differ from the largest, which is what they cost.</summary>
        public ulong Beside => All.Aggregate(0UL, (sum, version) => sum + (Largest - version.Size));

        public Version? Find(ulong size) => All.FirstOrDefault(version => version.Size == size);

        public Version Nearest(ulong size) => All.Append(Start).MinBy(version => Math.Max(version.Size, size) - Math.Min(version.Size, size))!;

        /// <summary>With one more; those used longest ago leave, so that what is beside the largest has a bound.</summary>
        public Versions With(Version made, Version? instead, ulong beside)
        {
            Versions next = new([made, .. All.Where(version => version != instead).Take(KeptVersions - 1)]);
            while (next.Beside > beside && next.All.Count > 1) next = new([.. next.All.SkipLast(1)]);
            return next;
        }
    }
}
