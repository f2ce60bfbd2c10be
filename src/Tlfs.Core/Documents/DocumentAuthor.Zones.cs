using Tlfs.Core.Ids;
using Tlfs.Core.Paths;
using Tlfs.Core.Policy;
using Tlfs.Core.Sealing;

namespace Tlfs.Core.Documents;

// Zones and their keys (docs/protocol/statements.md §5, §6).
public sealed partial class DocumentAuthor
{
    /// <summary>Grants a permission on the whole document; readers get the keys in the same bundle. What the actor holds already is returned and not made again.</summary>
    public GrantId Grant(Actor actor, Permission permission) => Grant(actor, permission, ".")[0];

    /// <summary>
    /// Grants a permission on what a view path shows; readers get the keys in the same bundle. A path of which a part is not kept under it, or of which a
    /// part became a zone before the whole did, takes several grants. Write on a path narrows a right to read that the actor has already; every other grant on a path makes it a zone of its own, unless it is one.
    /// What the actor holds already is returned and not made again.
    /// </summary>
    /// <param name="actor">Who receives it. More than <see cref="Permission.Sync"/> needs an account.</param>
    /// <param name="permission">What it allows.</param>
    /// <param name="path">Where, by view path.</param>
    /// <param name="fromNow">True to give no history: what is there now, and what comes.</param>
    public IReadOnlyList<GrantId> Grant(Actor actor, Permission permission, string path, bool fromNow = false)
    {
        if (permission > Permission.Sync && actor is not AccountActor)
            throw new TlfsException(Reason.GrantRefused, "only sync can be granted to a peer or to anyone; grant more to a person's account: acct_…");
        if (fromNow && permission < Permission.Read) throw new TlfsException(Reason.GrantRefused, "only who may read can be kept from reading what was written before");
        IReadOnlyList<StoragePath> places = path is "." ? [StoragePath.Root] : document.Cover(path);
        var grants = new List<GrantId>();
        foreach (var place in places) Grant(actor, permission, place, fromNow, grants);
        return grants;
    }

    /// <summary>Seals the newest keys, and those of epochs to which they do not lead, to readers who lack them (statements.md §5.7). Makes nothing if there is nobody, or no right to.</summary>
    public void WrapMissing()
    {
        foreach (var zone in Writable())
        {
            if (ChooseEpoch(zone) is not { } epoch)
            {
                Rotate(zone);
                continue;
            }

            var (readers, parent) = Recipients(zone);
            if (document.Keyring.NeedsWrap(epoch, readers, parent)) Sign(document.Keyring.WrapFor(entropy, epoch, readers, parent));
        }
    }

    /// <summary>
    /// Brings those together who were made to use several zones for one path by servers that lied (statements.md §6.3): who has a grant on one that is not used
    /// gets the same on the one that is, and what the other holds is told there. Makes nothing where there is nothing to heal, or no right to.
    /// </summary>
    public void HealSplits()
    {
        foreach (var (zone, winner) in document.Zones.Superseded)
        {
            foreach (var lost in document.Policy.Grants.Where(grant => grant.Holds && grant.Zone == zone && grant.Sub is null).ToArray())
                GrantAgain(lost, winner);
            if (Writable().Contains(winner) && document.ShownIn(winner).Any(shown => shown.Part.Zone == zone && !document.IsForwarded(shown.Held, shown.Part)))
                Snapshot([winner]);
        }
    }

    /// <summary>Makes new keys for the zones whose epoch is worn (statements.md §5.10).</summary>
    /// <param name="isOld">Whether an epoch has been known for too long.</param>
    public void RotateWorn(Func<EnvelopeId, bool> isOld)
    {
        foreach (var zone in Writable())
            if (ChooseEpoch(zone) is { } epoch && (isOld(epoch) || document.Log.Count - document.Find(epoch)!.Number >= Limits.EnvelopesPerEpoch)) Rotate(zone);
    }

    private void Grant(Actor actor, Permission permission, StoragePath place, bool fromNow, List<GrantId> grants)
    {
        grants.Add(Grant(actor, permission, place, fromNow));

        // A zone that is older than the one around it does not lie in that.
        var zones = document.Zones;
        foreach (var (path, zone) in zones.Below(place))
            if (!document.Policy.Zones.IsAtOrAbove(zones.Of(place), zone)) grants.Add(Grant(actor, permission, path, fromNow));
    }

    private void GrantAgain(GrantStatus lost, ZoneId winner)
    {
        var policy = document.Policy;
        if (policy.Grants.Any(grant => grant.Holds && grant.Sub is null && grant.Permission >= lost.Permission && grant.Actor.Equals(lost.Actor) && policy.Zones.IsAtOrAbove(grant.Zone, winner))) return;
        var delegates = OwnGrants().FirstOrDefault(own =>
            policy.Zones.IsAtOrAbove(own.Zone, winner) && (own.Permission == Permission.Own || lost.Permission <= Permission.Write));
        if (delegates is null) return;
        Sign(new Grant(lost.Actor, lost.Permission, winner, delegates.Id) { FromNow = lost.FromNow });
        if (lost.FromNow) BeginAnew(winner);
        else if (lost.Permission >= Permission.Read) WrapMissing();
    }

    private GrantId Grant(Actor actor, Permission permission, StoragePath place, bool fromNow)
    {
        var zone = document.Zones.At(place);
        if (zone is null && permission == Permission.Write && !fromNow && actor.Peer is { } peer && document.Policy.MayRead(peer, document.Zones.Of(place)))
            return GrantNarrowed(actor, place);
        var standing = zone is null ? null : document.Policy.Grants.FirstOrDefault(grant =>
            grant.Holds && grant.Permission == permission && grant.Zone == zone && grant.Sub is null && grant.FromNow == fromNow && grant.Actor.Equals(actor));
        if (standing is not null) return standing.Id;
        var target = zone ?? MakeZone(place);
        var id = State(OwnGrants().Select(parent => new Grant(actor, permission, target, parent.Id) { FromNow = fromNow }), Reason.GrantRefused);
        if (fromNow) BeginAnew(target);
        else if (permission >= Permission.Read) WrapMissing();
        return id.Grant;
    }

    // Who may read a zone gets Write on a part of it, which stays hidden from the server.
    private GrantId GrantNarrowed(Actor actor, StoragePath place)
    {
        var zone = document.Zones.Of(place);
        var standing = document.Policy.Grants.FirstOrDefault(grant => grant.Holds && grant.Zone == zone && grant.Actor.Equals(actor) && PathOf(grant)?.Path.Equals(place) == true);
        if (standing is not null) return standing.Id;
        var sub = document.Keyring.SealSub(entropy, UsableEpoch(zone), PathOpening.Hide(entropy, place));
        var id = State(OwnGrants().Select(parent => new Grant(actor, Permission.Write, zone, parent.Id) { Sub = sub }), Reason.GrantRefused);
        WrapMissing();
        return id.Grant;
    }

    // A zone with its first epoch, and what is in it already.
    private ZoneId MakeZone(StoragePath place)
    {
        var parent = document.Zones.Of(place);
        var opening = PathOpening.Hide(entropy, place);
        var commit = opening.ZoneCommit(document.Id);
        var zone = State(OwnGrants().Select(grant => new ZoneCreate(parent, grant.Id, commit)), Reason.GrantRefused).Zone;
        Rotate(zone, opening);
        Snapshot([zone]);
        return zone;
    }

    // Nobody gets from these keys to earlier ones; what is there now is told again.
    private void BeginAnew(ZoneId from)
    {
        ZoneId[] zones = [from, .. document.Policy.Zones.Descendants(from)];
        foreach (var zone in zones) Rotate(zone);
        Snapshot([.. zones.Order()]);
    }

    private void RotateUnclean()
    {
        foreach (var zone in Writable())
            if (ChooseEpoch(zone) is null) Rotate(zone);
    }

    private void Rotate(ZoneId zone, PathOpening? place = null)
    {
        var (readers, parent) = Recipients(zone);
        Sign(document.Keyring.NewEpoch(entropy, zone, readers, parent, place));
    }

    // Who gets the keys by name, and the epoch of the zone above that leads to them for the others. A writer without that zone's keys names everybody.
    private (List<ZoneReader> Readers, EnvelopeId? ParentEpoch) Recipients(ZoneId zone)
    {
        var parent = document.Policy.Zones.Parent(zone) is { } above && ChooseEpoch(above) is { } epoch && document.Keyring.HasHistory(epoch) ? epoch : (EnvelopeId?)null;
        var readers = new List<ZoneReader>();
        foreach (var reader in document.Policy.Readers(zone).Where(reader => parent is null || reader.IsDirect))
            if (reader.Actor is AccountActor actor && AccountCard.TryDecode(actor.Card, out var card, out _)) readers.Add(new(card, reader.History));
        return (readers, parent);
    }

    // The zones that this device may write as a whole and has keys of, or that have none yet; outer ones first.
    private ZoneId[] Writable() =>
        [.. document.AllZones().Where(zone => document.Policy.May(Self, Permission.Write, zone) && !document.Keyring.IsLockedIn(zone))];

    // statements.md §5.5: never under an epoch one of whose holders may not read now.
    private EnvelopeId UsableEpoch(ZoneId zone)
    {
        if (document.Keyring.IsLockedIn(zone)) throw new TlfsException(Reason.KeyMissing, "no key yet: somebody who can read the document must be online once");
        if (ChooseEpoch(zone) is { } clean) return clean;
        if (!document.Policy.May(Self, Permission.Write, zone))
            throw new TlfsException(Reason.KeyMissing, "somebody lost access and the keys must change first, which you may not do: wait until one who may write all of this was online");
        Rotate(zone);
        return ChooseEpoch(zone) ?? throw new InvalidOperationException("a new epoch is not usable by its own author");
    }

    private EnvelopeId? ChooseEpoch(ZoneId zone)
    {
        var readers = document.Policy.Readers(zone);
        Reader[] fromNow = [.. readers.Where(reader => !reader.History)];
        return document.Keyring.Choose(
            zone,
            readers.Select(reader => reader.Actor).OfType<AccountActor>().Select(reader => reader.Account.Value).ToHashSet(),
            fromNow.Length == 0 ? null : epoch => fromNow.All(reader => reader.Grants.Any(grant => document.Policy.IsBefore(grant.Envelope, epoch))));
    }

    // Nothing for who may write the whole zone; else the narrowed grants of this device that cover the operations.
    private List<Opening> OpeningsFor(ZonePart part)
    {
        if (document.Policy.May(Self, Permission.Write, part.Zone)) return [];
        var own = document.Policy.Grants.Where(grant => grant.Holds && grant.Sub is not null && grant.Actor.Contains(Self) && document.Policy.Zones.IsAtOrAbove(grant.Zone, part.Zone))
            .Select(grant => (grant.Id, Opening: PathOf(grant))).Where(grant => grant.Opening is not null).ToArray();
        var openings = new SortedDictionary<GrantId, Opening>();
        foreach (var operation in part.Operations)
        {
            var path = Document.PathOf(operation)!;
            var (grant, opening) = own.FirstOrDefault(each => each.Opening!.Path.Contains(path));
            if (opening is null) throw MayNotWrite(document.IsLocked ? "in this document" : $"at {document.ViewPath(path)}");
            openings[grant] = new(grant, opening.Salt, opening.Path);
        }

        return [.. openings.Values];
    }

    private PathOpening? PathOf(GrantStatus grant) => document.SubPathOf(grant);
}
