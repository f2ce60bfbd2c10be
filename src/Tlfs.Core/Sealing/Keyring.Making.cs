using Tlfs.Core.Crypto;
using Tlfs.Core.Ids;
using Tlfs.Core.Policy;

namespace Tlfs.Core.Sealing;

/// <summary>
/// Somebody to whom a zone's keys are sealed by name: who has more of it, history or any reading at all, than of the zone it lies in. If its keys cannot be sealed under the zone
/// above, because the writer may not read that or holds no history key of it, everybody who may Read the zone.
/// </summary>
/// <param name="Card">The account.</param>
/// <param name="HasHistory">False if all its grants are from now on (docs/protocol/statements.md §5.9): then it gets content keys only.</param>
internal sealed record ZoneReader(AccountCard Card, bool HasHistory = true);

// What a writer seals for others.
internal sealed partial class Keyring
{
    /// <summary>
    /// The epoch of a zone to seal under (§5.5): its key is held, everybody who holds it may read the zone, and it serves all of them; the greatest number, then the
    /// smallest id. Null if a rotation has to come first.
    /// </summary>
    /// <param name="zone">The zone.</param>
    /// <param name="readers">The accounts that may Read the zone, directly or by a zone above.</param>
    /// <param name="servesAll">
    /// False for an epoch whose rotate does not have, for each reader from now on, one of its grants in its past: it must not be given to all of them (§5.9).
    /// Null if there are no such readers.
    /// </param>
    public EnvelopeId? Choose(ZoneId zone, IReadOnlySet<Bytes32> readers, Func<EnvelopeId, bool>? servesAll = null)
    {
        var heldByOthers = _graph.HeldByOthers(zone, readers);
        return _graph.In(zone)
            .Where(epoch => epoch.Content is not null && !heldByOthers.Contains(epoch.Id) && servesAll?.Invoke(epoch.Id) != false)
            .OrderByDescending(epoch => epoch.Body.Number).ThenBy(epoch => epoch.Id)
            .Select(epoch => (EnvelopeId?)epoch.Id).FirstOrDefault();
    }

    /// <summary>Makes a new epoch of a zone that leads back to all earlier ones whose keys are held (§5.1).</summary>
    /// <param name="entropy">Unpredictable bytes.</param>
    /// <param name="zone">The zone.</param>
    /// <param name="readers">Who gets wraps; those beyond <see cref="Limits.Wraps"/> get theirs by <see cref="WrapFor"/>.</param>
    /// <param name="parentEpoch">
    /// The chosen epoch of the zone that this one lies in, if its <see cref="HasHistory"/> is true; else null, as in zone 0, and all who may Read the zone are among the readers.
    /// </param>
    /// <param name="place">Where a zone is that has no epoch yet; else its <see cref="Place"/> must be known.</param>
    public Rotate NewEpoch(IEntropy entropy, ZoneId zone, IReadOnlyCollection<ZoneReader> readers, EnvelopeId? parentEpoch = null, PathOpening? place = null)
    {
        using var content = SecretKey.Random(entropy);
        using var history = SecretKey.Random(entropy);
        var context = new EpochContext(document, zone, Hashing.Commit(content));
        Epoch[] previous = [.. Heads(zone).OrderByDescending(epoch => epoch.Body.Number).ThenBy(epoch => epoch.Id).Take(Limits.PreviousEpochs).OrderBy(epoch => epoch.Id)];
        return new(
            zone, previous.Length == 0 ? 0 : 1 + previous.Max(epoch => epoch.Body.Number), [.. previous.Select(epoch => epoch.Id)],
            context.Commit, Hashing.Commit(history), Wraps(entropy, context, content, history, readers), Histories(entropy, context, history, previous))
        {
            ParentWraps = ParentWraps(entropy, context, content, history, parentEpoch),
            SealedPath = zone == ZoneId.Root ? default(ReadOnlyMemory<byte>?) : PathOpening.SealZone(entropy, context, content, PlaceChain(zone, place)),
        };
    }

    /// <summary>
    /// True if some of these readers, or of those of the zone above, or those who hold the epoch, cannot open all that they should and this account can give:
    /// <see cref="WrapFor"/> helps them (§5.7).
    /// </summary>
    /// <param name="epoch">The chosen epoch of a zone.</param>
    /// <param name="readers">Who is to have it by name. One without history is left out by the caller unless a grant of it is in the past of the epoch's rotate (§5.9).</param>
    /// <param name="parentEpoch">The chosen epoch of the zone above; null for zone 0 and while that has none.</param>
    public bool NeedsWrap(EnvelopeId epoch, IReadOnlyCollection<ZoneReader> readers, EnvelopeId? parentEpoch = null)
    {
        var held = _graph.Find(epoch)!;
        return Missing(held, readers).Any() || Unreached(held).Any() || MissingParent(held, parentEpoch) is not null;
    }

    /// <summary>Seals an epoch's keys to the readers that lack them and under the epoch of the zone above, and to all its readers the keys of epochs to which it does not lead.</summary>
    /// <inheritdoc cref="NeedsWrap"/>
    public Wrap WrapFor(IEntropy entropy, EnvelopeId epoch, IReadOnlyCollection<ZoneReader> readers, EnvelopeId? parentEpoch = null)
    {
        var held = _graph.Find(epoch)!;
        var context = Context(held);
        var wraps = Wraps(entropy, context, held.Content!, held.History, Missing(held, readers));
        var unreached = Unreached(held).OrderBy(head => head.Id).Take(Limits.PreviousEpochs);
        return new(held.Zone, epoch, wraps, held.History is null ? [] : Histories(entropy, context, held.History, unreached))
        {
            ParentWraps = held.History is null ? [] : ParentWraps(entropy, context, held.Content!, held.History, MissingParent(held, parentEpoch)),
        };
    }

    /// <summary>Hides the path of a grant under the chosen epoch of the grant's zone (§6.4).</summary>
    public SubPath SealSub(IEntropy entropy, EnvelopeId epoch, PathOpening opening)
    {
        var held = _graph.Find(epoch)!;
        return opening.SealSub(entropy, epoch, Context(held), held.Content!);
    }

    // Epochs whose keys are held and that no other such epoch follows, in fact and not only by its own word.
    private IEnumerable<Epoch> Heads(ZoneId zone)
    {
        var followed = _graph.In(zone).SelectMany(epoch => LeadsTo(epoch).Where(epoch.Body.PreviousEpochs.Contains)).ToHashSet();
        return _graph.In(zone).Where(epoch => epoch.Content is not null && !followed.Contains(epoch.Id));
    }

    private static IEnumerable<EnvelopeId> LeadsTo(Epoch epoch) => epoch.Leads.Where(edge => edge.History is not null && edge.GaveHistory).Select(edge => edge.To);

    // Heads that a reader of this epoch cannot open though this account could show them: others rotated at the same time, or somebody sealed garbage.
    private IEnumerable<Epoch> Unreached(Epoch from)
    {
        if (from.History is null) return [];
        var reached = new HashSet<EnvelopeId> { from.Id };
        var open = new Queue<Epoch>([from]);
        while (open.TryDequeue(out var epoch))
            foreach (var earlier in LeadsTo(epoch).Where(reached.Add)) open.Enqueue(_graph.Find(earlier)!);
        return Heads(from.Zone).Where(head => head.History is not null && !reached.Contains(head.Id));
    }

    private static IEnumerable<ZoneReader> Missing(Epoch epoch, IEnumerable<ZoneReader> readers) => readers.Where(reader =>
        !epoch.Recipients.Contains(reader.Card.Account.Value)
        && (reader.HasHistory ? epoch.History is not null : !epoch.ContentRecipients.Contains(reader.Card.Account.Value)));

    private EnvelopeId? MissingParent(Epoch epoch, EnvelopeId? parentEpoch)
    {
        if (parentEpoch is not { } above || epoch.History is null || !HasHistory(above)) return null;
        return epoch.Led.Exists(edge => edge.Parent is not null && edge.From == above && edge is { GaveContent: true, GaveHistory: true }) ? null : above;
    }

    private static KeyWrap[] Wraps(IEntropy entropy, EpochContext context, SecretKey content, SecretKey? history, IEnumerable<ZoneReader> readers) =>
        [.. readers.Take(Limits.Wraps).Select(reader => context.WrapFor(entropy, reader.Card, content, reader.HasHistory ? history : null)).Order()];

    private static HistWrap[] Histories(IEntropy entropy, EpochContext context, SecretKey history, IEnumerable<Epoch> earlier) =>
        [.. earlier.Where(epoch => epoch.History is not null).Select(epoch => context.HistWrapFor(entropy, history, epoch.Id, epoch.Content!, epoch.History!))];

    private ParentWrap[] ParentWraps(IEntropy entropy, EpochContext context, SecretKey content, SecretKey history, EnvelopeId? parentEpoch)
    {
        if (parentEpoch is not { } above) return [];
        if (!HasHistory(above)) throw new InvalidOperationException("the history key of the zone above is not held");
        var parent = _graph.Find(above)!;
        return [context.ParentWrapFor(entropy, above, parent.Content!, parent.History!, content, history)];
    }

    private IReadOnlyList<PathOpening> PlaceChain(ZoneId zone, PathOpening? place)
    {
        if (_places.TryGetValue(zone, out var known)) return known;
        var parent = _graph.Made(zone)?.Parent ?? throw new InvalidOperationException("the zone was not made");
        if (place is null || (parent != ZoneId.Root && !_places.ContainsKey(parent))) throw new InvalidOperationException("the place of the zone is not known");
        return parent == ZoneId.Root ? [place] : [place, .. _places[parent]];
    }
}
