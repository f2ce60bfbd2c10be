using Tlfs.Core.Crypto;
using Tlfs.Core.Ids;
using Tlfs.Core.Policy;

namespace Tlfs.Core.Sealing;

/// <summary>
/// A document's zones and epochs, who can open them, and the keys this account holds (docs/protocol/statements.md §5, §6). Only statements that are allowed, and the
/// structural zoneCreates, are given to it, in any order: keys are never accepted from anybody else.
/// </summary>
internal sealed partial class Keyring(DocId document, AccountKeys own) : IDisposable
{
    private readonly Dictionary<EnvelopeId, SecretKey> _former = [];
    private readonly Dictionary<ZoneId, IReadOnlyList<PathOpening>> _places = [];
    private KeyGraph _graph = new();
    private bool _learned;

    /// <summary>True if the document has keys and this account holds none of them yet.</summary>
    public bool IsLocked => _graph.Epochs.Count > 0 && !_graph.Epochs.Any(epoch => epoch.Content is not null);

    /// <summary>Zone 0 and all zones that were made.</summary>
    public IEnumerable<ZoneId> Zones => _graph.Zones;

    /// <summary>Adds a structural zoneCreate, or an allowed rotate or wrap; true if a content key, or the place of a zone, became known by it.</summary>
    public bool Add(EnvelopeId id, Statement statement)
    {
        _learned = false;
        var work = new Queue<KeyEdge>();
        switch (statement)
        {
            case ZoneCreate made:
                _graph.Add(id.Zone, made, work);
                foreach (var epoch in _graph.Epochs) LearnPlace(epoch);
                break;
            case Rotate rotate when _graph.Add(id, rotate, work) is { } added:
                TakeWraps(added.Epoch, rotate.Wraps, work);
                foreach (var early in added.Early) AddWrap(early, work);
                break;
            case Wrap wrap:
                AddWrap(wrap, work);
                break;
        }

        while (work.TryDequeue(out var edge)) Follow(edge, work);
        return _learned;
    }

    /// <summary>
    /// Forgets everything, keys too; used when statements may have stopped being allowed. What still is allowed is added again, so that the keys held
    /// follow from the statements that count now and from nothing else. Until <see cref="ForgetFormer"/> the keys held before serve to take back what was
    /// read with them.
    /// </summary>
    public void Reset()
    {
        ForgetFormer();
        foreach (var epoch in _graph.Epochs)
        {
            if (epoch.Content is { } content) _former.Add(epoch.Id, content);
            epoch.History?.Dispose();
        }

        _graph = new();
        _places.Clear();
    }

    /// <summary>The content key that was held for an epoch before the last <see cref="Reset"/>.</summary>
    public SecretKey? FormerKey(EnvelopeId epoch) => _former.GetValueOrDefault(epoch);

    /// <summary>Zeroes the keys held before the last <see cref="Reset"/>.</summary>
    public void ForgetFormer()
    {
        foreach (var key in _former.Values) key.Dispose();
        _former.Clear();
    }

    /// <summary>The content key of an epoch of this zone, or the reason why it is not usable.</summary>
    public SecretKey? ContentKey(ZoneId zone, EnvelopeId epoch, out Reason reason)
    {
        var found = Find(zone, epoch);
        reason = found is { IsDisputed: true, Content: null } ? Reason.KeyDispute : Reason.KeyMissing;
        return found?.Content;
    }

    /// <summary>True if the epoch's content key is held.</summary>
    public bool Holds(EnvelopeId epoch) => _graph.Find(epoch) is { Content: not null };

    /// <summary>True if the epoch's history key is held: then earlier epochs' keys follow from it, and it can be given to others.</summary>
    public bool HasHistory(EnvelopeId epoch) => _graph.Find(epoch) is { Content: not null, History: not null };

    /// <summary>True if the zone has epochs and none of their content keys is held.</summary>
    public bool IsLockedIn(ZoneId zone) => _graph.In(zone).Count > 0 && _graph.In(zone).All(epoch => epoch.Content is null);

    /// <summary>
    /// Where a zone is, as some epoch of it says whose key is held and as the zoneCreates commit to (§6.2); null while that is not known. A zone that was
    /// made outside of the zone it is said to lie in <see cref="ZonePlace.IsMisplaced"/> for good.
    /// </summary>
    public ZonePlace? Place(ZoneId zone)
    {
        if (zone == ZoneId.Root) return ZonePlace.Root;
        return _places.TryGetValue(zone, out var chain) ? ZonePlace.Of(chain) : null;
    }

    /// <summary>The hidden path of a grant on this zone (§6.4); null while the key of the epoch that it names is not held, and for garbage.</summary>
    public PathOpening? OpenSub(ZoneId zone, SubPath sub) =>
        Find(zone, sub.Epoch) is { Content: { } content } epoch ? PathOpening.OpenSub(Context(epoch), content, sub) : null;

    public void Dispose()
    {
        Reset();
        ForgetFormer();
    }

    private Epoch? Find(ZoneId zone, EnvelopeId epoch) => _graph.Find(epoch) is { } found && found.Zone == zone ? found : null;

    private EpochContext Context(Epoch epoch) => new(document, epoch.Zone, epoch.Body.Commit);

    private void AddWrap(Wrap wrap, Queue<KeyEdge> work)
    {
        if (_graph.Add(wrap, work) is { } epoch) TakeWraps(epoch, wrap.Wraps, work);
    }

    private void TakeWraps(Epoch epoch, IReadOnlyList<KeyWrap> wraps, Queue<KeyEdge> work)
    {
        foreach (var wrap in wraps)
        {
            (wrap.HasHistory ? epoch.Recipients : epoch.ContentRecipients).Add(wrap.Recipient);
            if (wrap.Kind != RecipientKind.Account || wrap.Recipient != own.Card.Account.Value) continue;
            if (epoch.Content is not null && (epoch.History is not null || !wrap.HasHistory)) continue;
            using var opened = Context(epoch).Unwrap(own, wrap);
            Adopt(epoch, opened, wrap.HasHistory ? Keys.Both : Keys.Content, work);
        }
    }

    // What an edge holds is tried also when the key is held already: whether it leads there decides what is sealed again for others.
    private void Follow(KeyEdge edge, Queue<KeyEdge> work)
    {
        var (from, to) = (_graph.Find(edge.From)!, _graph.Find(edge.To)!);
        if (edge.History is { } earlier)
        {
            if (edge.GaveHistory || from.History is not { } history) return;
            using var pair = Context(from).OpenHistory(history, earlier);
            edge.GaveContent = edge.GaveHistory = Adopt(to, pair, Keys.Both, work);
            return;
        }

        if (!edge.GaveContent && from.Content is { } parentContent)
        {
            using var opened = Context(to).OpenParentKey(parentContent, edge.Parent!);
            edge.GaveContent = Adopt(to, opened, Keys.Content, work);
        }

        if (!edge.GaveHistory && from.History is { } parentHistory)
        {
            using var opened = Context(to).OpenParentHistory(parentHistory, edge.Parent!);
            edge.GaveHistory = Adopt(to, opened, Keys.History, work);
        }
    }

    // Takes keys if they are the ones that the rotate commits to (envelope.md §3 step 10). What they open is worked on by the caller's loop, not by recursion: a document may
    // have any number of epochs.
    private bool Adopt(Epoch epoch, SecretKey? opened, Keys which, Queue<KeyEdge> work)
    {
        var fits = opened?.Bytes.Length == (which == Keys.Both ? 2 : 1) * SecretKey.Size;
        var content = fits && which != Keys.History ? opened!.Bytes[..SecretKey.Size] : default;
        var history = fits && which != Keys.Content ? opened!.Bytes[^SecretKey.Size..] : default;
        if (!fits || (!content.IsEmpty && Hashing.Commit(content) != epoch.Body.Commit)
            || (!history.IsEmpty && Hashing.Commit(history) != epoch.Body.CommitHistory))
        {
            epoch.IsDisputed = true;
            return false;
        }

        var isContentNew = !content.IsEmpty && epoch.Content is null;
        var isHistoryNew = !history.IsEmpty && epoch.History is null;
        if (isContentNew) epoch.Content = new(content);
        if (isHistoryNew) epoch.History = new(history);
        if (isContentNew || isHistoryNew) epoch.Leads.ForEach(work.Enqueue);
        if (isContentNew)
        {
            _learned = true;
            LearnPlace(epoch);
        }

        return true;
    }

    // All that a sealed path opens must be what the zoneCreates commit to.
    private void LearnPlace(Epoch epoch)
    {
        if (epoch.Content is not { } content || epoch.Body.SealedPath is not { } path || _places.ContainsKey(epoch.Zone)) return;
        if (_graph.Chain(epoch.Zone) is not { } chain || PathOpening.OpenZone(Context(epoch), content, path.Span) is not { } openings) return;
        if (!chain.Select(made => made.PathCommit).SequenceEqual(openings.Select(opening => opening.ZoneCommit(document)))) return;
        _places.Add(epoch.Zone, openings);
        _learned = true;
    }

    private enum Keys
    {
        Both,
        Content,
        History,
    }
}
