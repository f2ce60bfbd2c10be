using CloudPeer.TestKit;
using Tlfs.Core.Crypto;
using Tlfs.Core.Ids;
using Tlfs.Core.Paths;
using Tlfs.Core.Policy;
using Tlfs.Core.Sealing;

namespace Tlfs.Core.Tests.Sealing.Keys;

/// <summary>A right to read, as the tests of keys see it.</summary>
internal sealed record Right(int Person, ZoneId Zone, bool FromNow, int Start)
{
    /// <summary>The event that ended it.</summary>
    public int? End { get; set; }
}

/// <summary>
/// Four people who share zones and keep the rules of docs/protocol/statements.md §5 with their real keyrings. Grants and revocations are events without bodies here: only keys
/// are looked at. Each person acts on the events it has seen; person 0 owns the document.
/// </summary>
internal sealed class KeyWorld : IDisposable
{
    public const int People = 4;

    private readonly SeededEntropy _entropy;
    private readonly DocId _document;
    private readonly List<(Action<int> Deliver, HashSet<int> Past)> _events = [];
    private readonly HashSet<int>[] _seen = [.. Enumerable.Range(0, People).Select(_ => new HashSet<int>())];
    private readonly List<ZoneId>[] _zones = [.. Enumerable.Range(0, People).Select(_ => new List<ZoneId> { ZoneId.Root })];
    private readonly List<Right>[] _rights = [.. Enumerable.Range(0, People).Select(_ => new List<Right>())];
    private readonly Dictionary<ZoneId, ZoneId> _parents = [];
    private readonly Dictionary<EnvelopeId, int> _eventOf = [];

    public KeyWorld(ulong seed)
    {
        _entropy = new(seed);
        _document = new(new(_entropy.Bytes(Bytes32.Size)));
        Rings = [.. Enumerable.Range(0, People).Select(NewRing)];
        Happen(0, person => _rights[person].Add(AllRights[0]), () => AllRights.Add(new(0, ZoneId.Root, false, 0)));
        Tidy(0);
    }

    public Keyring[] Rings { get; }

    /// <summary>All zoneCreates, rotates and wraps, in order.</summary>
    public List<(EnvelopeId Id, Statement Body)> Statements { get; } = [];

    public List<Right> AllRights { get; } = [];

    public Dictionary<ZoneId, StoragePath> Paths { get; } = new() { [ZoneId.Root] = StoragePath.Root };

    public IEnumerable<(EnvelopeId Id, Rotate Body)> Epochs => Statements.Where(each => each.Body is Rotate).Select(each => (each.Id, (Rotate)each.Body));

    public int Below(int limit) => _entropy.Below(limit);

    public T Any<T>(IReadOnlyList<T> items) => items[Below(items.Count)];

    public Keyring NewRing(int person) => new(_document, Documents.People.At(person));

    public bool IsAtOrAbove(ZoneId upper, ZoneId lower)
    {
        while (lower != upper && lower != ZoneId.Root) lower = _parents[lower];
        return lower == upper;
    }

    /// <summary>What the event that made an epoch had seen.</summary>
    public bool IsInPast(int happened, EnvelopeId epoch) => _events[_eventOf[epoch]].Past.Contains(happened);

    public int TimeOf(EnvelopeId epoch) => _eventOf[epoch];

    /// <summary>Everybody learns all that happened.</summary>
    public void Sync()
    {
        for (var person = 0; person < People; person++) Sync(person);
    }

    public void Sync(int person)
    {
        for (var i = 0; i < _events.Count; i++)
            if (_seen[person].Add(i)) _events[i].Deliver(person);
    }

    /// <summary>Does something that the rules allow this person; nothing if there is nothing.</summary>
    public void Act(int person)
    {
        var zones = _zones[person].Where(zone => CanWrite(person, zone)).ToArray();
        if (zones.Length == 0) return;
        var zone = Any(zones);
        var leads = Level(person, person, zone) == 2;
        switch (Below(6))
        {
            case 0 when leads && _parents.Count < 5: MakeZone(person, zone); break;
            case 1 or 2 when leads: GiveRight(person, 1 + Below(People - 1), zone, fromNow: Below(3) == 0); break;
            case 3 when leads: EndRight(person, zone); break;
            case 4: NewEpoch(person, zone); break;
            default: Tidy(person); break;
        }
    }

    public ZoneId MakeZone(int by, ZoneId parent)
    {
        var opening = PathOpening.Hide(_entropy, Paths[parent].Append(Segment.Of(new FieldId((ulong)_parents.Count))));
        var id = State(by, new ZoneCreate(parent, default, opening.ZoneCommit(_document)));
        NewEpoch(by, id.Zone, opening);
        return id.Zone;
    }

    public Right GiveRight(int by, int person, ZoneId zone, bool fromNow)
    {
        var right = new Right(person, zone, fromNow, _events.Count);
        Happen(by, seer => _rights[seer].Add(right), () => AllRights.Add(right));
        Tidy(by);
        return right;
    }

    public void EndRight(int by, Right right)
    {
        right.End ??= _events.Count;
        Happen(by, seer => _rights[seer].Remove(right), () => { });
        Tidy(by);
    }

    /// <summary>Rotates what has to be, from zone 0 down, and adds wraps that are missing.</summary>
    public void Tidy(int by)
    {
        foreach (var zone in _zones[by].ToArray())
        {
            if (!CanWrite(by, zone)) continue;
            if (Choose(by, zone) is not { } chosen) NewEpoch(by, zone);
            else if (Rings[by].NeedsWrap(chosen, [.. Direct(by, zone).Where(reader => MayHold(by, reader, zone, chosen))], ParentEpoch(by, zone)))
                State(by, Rings[by].WrapFor(_entropy, chosen, [.. Direct(by, zone).Where(reader => MayHold(by, reader, zone, chosen))], ParentEpoch(by, zone)));
        }
    }

    public EnvelopeId NewEpoch(int by, ZoneId zone, PathOpening? place = null)
    {
        var parent = ParentEpoch(by, zone);
        var readers = parent is null && zone != ZoneId.Root ? Readers(by, zone) : Direct(by, zone);
        return State(by, Rings[by].NewEpoch(_entropy, zone, readers, parent, place));
    }

    public EnvelopeId? Choose(int by, ZoneId zone) => Rings[by].Choose(
        zone, Readers(by, zone).Select(reader => reader.Card.Account.Value).ToHashSet(), epoch => Readers(by, zone).All(reader => MayHold(by, reader, zone, epoch)));

    public void Dispose()
    {
        foreach (var ring in Rings) ring.Dispose();
    }

    private void EndRight(int by, ZoneId zone)
    {
        var rights = _rights[by].Where(right => right.Person != 0 && IsAtOrAbove(zone, right.Zone)).ToArray();
        if (rights.Length > 0) EndRight(by, Any(rights));
    }

    // Who may write a zone and has none of its keys yet does not know where it is.
    private bool CanWrite(int by, ZoneId zone) => Level(by, by, zone) > 0 && Rings[by].Place(zone) is not null;

    // 0 nothing, 1 from now on, 2 with history; as somebody sees it.
    private int Level(int seer, int person, ZoneId zone) =>
        _rights[seer].Where(right => right.Person == person && IsAtOrAbove(right.Zone, zone)).Select(right => right.FromNow ? 1 : 2).DefaultIfEmpty(0).Max();

    private List<ZoneReader> Readers(int by, ZoneId zone) => [
        .. Enumerable.Range(0, People).Where(person => Level(by, person, zone) > 0).Select(person => Reader(by, person, zone))];

    private List<ZoneReader> Direct(int by, ZoneId zone) => [
        .. Enumerable.Range(0, People)
            .Where(person => Level(by, person, zone) > (zone == ZoneId.Root ? 0 : Level(by, person, _parents[zone]))).Select(person => Reader(by, person, zone))];

    private ZoneReader Reader(int by, int person, ZoneId zone) => new(Documents.People.At(person).Card, Level(by, person, zone) == 2);

    private bool MayHold(int by, ZoneReader reader, ZoneId zone, EnvelopeId epoch) => reader.HasHistory || _rights[by].Exists(right =>
        Documents.People.At(right.Person).Card == reader.Card && IsAtOrAbove(right.Zone, zone) && IsInPast(right.Start, epoch));

    private EnvelopeId? ParentEpoch(int by, ZoneId zone) =>
        zone != ZoneId.Root && Level(by, by, _parents[zone]) > 0 && Choose(by, _parents[zone]) is { } chosen && Rings[by].HasHistory(chosen) ? chosen : null;

    private EnvelopeId State(int by, Statement body)
    {
        var id = new EnvelopeId(new(_entropy.Bytes(Bytes32.Size)));
        var decoded = Again(body);
        Happen(by, Deliver, () =>
        {
            Statements.Add((id, decoded));
            if (decoded is Rotate) _eventOf.Add(id, _events.Count);
            if (decoded is not ZoneCreate made) return;
            _parents.Add(id.Zone, made.Parent);
            Paths.Add(id.Zone, Paths[made.Parent].Append(Segment.Of(new FieldId((ulong)(_parents.Count - 1)))));
        });
        return id;

        void Deliver(int person)
        {
            if (decoded is ZoneCreate) _zones[person].Add(id.Zone);
            Rings[person].Add(id, decoded);
        }
    }

    private void Happen(int by, Action<int> deliver, Action record)
    {
        record();
        _events.Add((deliver, [.. _seen[by]]));
        _seen[by].Add(_events.Count - 1);
        deliver(by);
    }

    // What is stated is what a decoder accepts.
    private static Statement Again(Statement body) =>
        Statement.TryDecode(body.Encode(), AccountCard.Verify, out var decoded, out var error) ? decoded : throw new InvalidOperationException(error.Detail);
}
