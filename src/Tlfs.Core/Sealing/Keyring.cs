using Tlfs.Core.Crypto;
using Tlfs.Core.Ids;
using Tlfs.Core.Policy;

namespace Tlfs.Core.Sealing;

/// <summary>
/// A document's epochs, who can open them, and the keys this account holds (docs/protocol/statements.md §5). Only statements that are allowed
/// are given to it: keys are never accepted from anybody else.
/// </summary>
internal sealed class Keyring(DocId document, AccountKeys own) : IDisposable
{
    private readonly Dictionary<EnvelopeId, Epoch> _epochs = [];
    private readonly Dictionary<EnvelopeId, EpochKeys> _keys = [];
    private readonly Dictionary<EnvelopeId, EpochKeys> _former = [];
    private readonly HashSet<EnvelopeId> _disputed = [];

    /// <summary>Adds an allowed rotate or wrap; true if keys became known by it.</summary>
    public bool Add(EnvelopeId id, Statement statement)
    {
        switch (statement)
        {
            case Rotate rotate:
                _epochs[id] = new(id, rotate);
                return Learn(_epochs[id], rotate.Wraps, rotate.HistWraps);
            case Wrap wrap when _epochs.TryGetValue(wrap.Epoch, out var epoch):
                return Learn(epoch, wrap.Wraps, wrap.HistWraps);
            default:
                return false;
        }
    }

    /// <summary>
    /// Forgets everything, keys too; used when statements may have stopped being allowed. What still is allowed is added again, so that the keys held
    /// follow from the statements that count now and from nothing else. Until <see cref="ForgetFormer"/> the keys held before serve to take back what was
    /// read with them.
    /// </summary>
    public void Reset()
    {
        ForgetFormer();
        foreach (var (epoch, keys) in _keys) _former.Add(epoch, keys);
        _keys.Clear();
        _epochs.Clear();
        _disputed.Clear();
    }

    /// <summary>The content key that was held for an epoch before the last <see cref="Reset"/>.</summary>
    public SecretKey? FormerKey(EnvelopeId epoch) => _former.GetValueOrDefault(epoch)?.Content;

    /// <summary>Zeroes the keys held before the last <see cref="Reset"/>.</summary>
    public void ForgetFormer()
    {
        foreach (var keys in _former.Values) keys.Dispose();
        _former.Clear();
    }

    /// <summary>The content key of an epoch, or the reason why it is not usable.</summary>
    public SecretKey? ContentKey(EnvelopeId epoch, out Reason reason)
    {
        reason = _disputed.Contains(epoch) ? Reason.KeyDispute : Reason.KeyMissing;
        return _epochs.ContainsKey(epoch) && _keys.TryGetValue(epoch, out var keys) ? keys.Content : null;
    }

    /// <summary>True if the document has epochs but none of their keys is held.</summary>
    public bool IsLocked => _epochs.Count > 0 && !_epochs.Keys.Any(_keys.ContainsKey);

    /// <summary>
    /// The epoch to seal under (§5.5): its key is held and all its recipients may read; the greatest number, then the smallest id. Null if a
    /// rotation has to come first.
    /// </summary>
    public EnvelopeId? Choose(IReadOnlySet<Bytes32> readers) => _epochs.Values
        .Where(epoch => _keys.ContainsKey(epoch.Id) && epoch.Recipients.IsSubsetOf(readers))
        .OrderByDescending(epoch => epoch.Body.Number).ThenBy(epoch => epoch.Id)
        .Select(epoch => (EnvelopeId?)epoch.Id).FirstOrDefault();

    /// <summary>Makes a new epoch for these readers that leads back to all earlier ones whose keys are held (§5.1).</summary>
    public Rotate NewEpoch(IEntropy entropy, IReadOnlyCollection<AccountCard> readers)
    {
        using var keys = EpochKeys.Generate(entropy);
        var previous = Heads().Order().Take(Limits.PreviousEpochs).ToArray();
        var number = previous.Length == 0 ? 0 : 1 + previous.Max(id => _epochs[id].Body.Number);
        return new(
            ZoneId.Root, number, previous, keys.Commit, keys.CommitHistory, Wraps(entropy, keys, readers),
            Histories(entropy, keys, previous));
    }

    /// <summary>True if some of these readers, or of those of the epoch, cannot open all that this account can: <see cref="WrapFor"/> helps them (§5.7).</summary>
    public bool NeedsWrap(EnvelopeId epoch, IEnumerable<AccountCard> readers) => Missing(epoch, readers).Any() || Unreached(epoch).Any();

    /// <summary>Seals an epoch's keys to the readers that have none of it yet, and to all of its readers the keys of epochs to which it does not lead.</summary>
    public Wrap WrapFor(IEntropy entropy, EnvelopeId epoch, IEnumerable<AccountCard> readers) => new(
        ZoneId.Root, epoch, Wraps(entropy, _keys[epoch], Missing(epoch, readers)), Histories(entropy, _keys[epoch], Unreached(epoch).Order().Take(Limits.PreviousEpochs)));

    public void Dispose()
    {
        ForgetFormer();
        foreach (var keys in _keys.Values) keys.Dispose();
    }

    // Epochs whose keys are held and that no other such epoch follows, in fact and not only by its own word.
    private IEnumerable<EnvelopeId> Heads()
    {
        var held = _epochs.Values.Where(epoch => _keys.ContainsKey(epoch.Id)).ToArray();
        var followed = held.SelectMany(epoch => epoch.Body.PreviousEpochs.Where(epoch.LeadsTo.Contains)).ToHashSet();
        return held.Select(epoch => epoch.Id).Where(id => !followed.Contains(id));
    }

    // Heads that a reader of this epoch cannot open: others rotated at the same time, or somebody sealed garbage.
    private IEnumerable<EnvelopeId> Unreached(EnvelopeId from)
    {
        var reached = new HashSet<EnvelopeId> { from };
        var open = new Queue<EnvelopeId>(reached);
        while (open.TryDequeue(out var epoch))
            foreach (var earlier in _epochs[epoch].LeadsTo.Where(reached.Add)) open.Enqueue(earlier);
        return Heads().Where(head => !reached.Contains(head));
    }

    private IEnumerable<AccountCard> Missing(EnvelopeId epoch, IEnumerable<AccountCard> readers) =>
        readers.Where(reader => !_epochs[epoch].Recipients.Contains(reader.Account.Value));

    private KeyWrap[] Wraps(IEntropy entropy, EpochKeys keys, IEnumerable<AccountCard> readers) =>
        [.. readers.Take(Limits.Wraps).Select(reader => keys.WrapFor(entropy, document, reader)).Order()];

    private HistWrap[] Histories(IEntropy entropy, EpochKeys keys, IEnumerable<EnvelopeId> earlier) =>
        [.. earlier.Select(id => keys.HistWrapFor(entropy, document, id, _keys[id]))];

    private bool Learn(Epoch epoch, IReadOnlyList<KeyWrap> wraps, IReadOnlyList<HistWrap> histories)
    {
        epoch.Histories.AddRange(histories);
        foreach (var wrap in wraps)
        {
            epoch.Recipients.Add(wrap.Recipient);
            if (wrap.Recipient == own.Card.Account.Value && wrap.Kind == RecipientKind.Account && !_keys.ContainsKey(epoch.Id)) Unwrap(epoch, wrap);
        }

        if (!_keys.ContainsKey(epoch.Id)) return false;
        LearnHistory(epoch);
        return true;
    }

    private void Unwrap(Epoch epoch, KeyWrap wrap)
    {
        if (Adopt(epoch, EpochKeys.Unwrap(own, document, epoch.Body, wrap))) _disputed.Remove(epoch.Id);
        else _disputed.Add(epoch.Id);
    }

    // Takes the keys if they are the ones the rotate commits to (envelope.md §3 step 10).
    private bool Adopt(Epoch epoch, EpochKeys? keys)
    {
        if (keys?.Match(epoch.Body) != true)
        {
            keys?.Dispose();
            return false;
        }

        if (!_keys.TryAdd(epoch.Id, keys)) keys.Dispose();
        return true;
    }

    // A loop, not recursion: a document may have any number of epochs. Each wrap is tried once, also for keys that are held: does it lead there?
    private void LearnHistory(Epoch newest)
    {
        var open = new Queue<Epoch>([newest]);
        while (open.TryDequeue(out var epoch))
        {
            foreach (var wrap in epoch.Histories)
            {
                if (!_epochs.TryGetValue(wrap.Epoch, out var earlier)) continue;
                var known = _keys.ContainsKey(earlier.Id);
                if (!Adopt(earlier, _keys[epoch.Id].OpenHistory(document, wrap))) continue;
                epoch.LeadsTo.Add(earlier.Id);
                if (!known) open.Enqueue(earlier);
            }

            epoch.Histories.Clear();
        }
    }

    private sealed record Epoch(EnvelopeId Id, Rotate Body)
    {
        public HashSet<Bytes32> Recipients { get; } = [];

        /// <summary>Wraps of earlier epochs' keys that were not tried yet, because this epoch's key is not held.</summary>
        public List<HistWrap> Histories { get; } = [];

        /// <summary>Earlier epochs whose keys this epoch's history key opens.</summary>
        public HashSet<EnvelopeId> LeadsTo { get; } = [];
    }
}
