using Tlfs.Core.Crypto;
using Tlfs.Core.Ids;
using Tlfs.Core.Policy;

namespace Tlfs.Core.Sealing;

/// <summary>An epoch, to whom its keys were sealed by name, and as much of its keys as is held.</summary>
internal sealed class Epoch(EnvelopeId id, Rotate body)
{
    public EnvelopeId Id => id;

    public Rotate Body => body;

    public ZoneId Zone => body.Zone;

    /// <summary>Who got both keys.</summary>
    public HashSet<Bytes32> Recipients { get; } = [];

    /// <summary>Who got the content key alone.</summary>
    public HashSet<Bytes32> ContentRecipients { get; } = [];

    /// <summary>What its keys open.</summary>
    public List<KeyEdge> Leads { get; } = [];

    /// <summary>What opens its keys.</summary>
    public List<KeyEdge> Led { get; } = [];

    public SecretKey? Content { get; set; }

    public SecretKey? History { get; set; }

    /// <summary>True if something that was to give the content key held another one.</summary>
    public bool IsDisputed { get; set; }
}

/// <summary>One epoch's keys sealed under another's: an earlier epoch's of the zone, or, with <see cref="Parent"/>, those of an epoch of a zone inside.</summary>
/// <param name="from">The epoch whose keys open it.</param>
/// <param name="to">The epoch whose keys it holds.</param>
internal sealed class KeyEdge(EnvelopeId from, EnvelopeId to)
{
    public EnvelopeId From => from;

    public EnvelopeId To => to;

    public HistWrap? History { get; init; }

    public ParentWrap? Parent { get; init; }

    /// <summary>True once it was opened and held the content key that it should.</summary>
    public bool GaveContent { get; set; }

    /// <summary>True once it was opened and held the history key that it should.</summary>
    public bool GaveHistory { get; set; }
}

/// <summary>
/// Which epochs there are and whose keys lead to whose, as the statements say (docs/protocol/statements.md §5, §6), in whatever order they arrive. What is sealed for an epoch of a
/// zone where it does not belong is left out.
/// </summary>
internal sealed class KeyGraph
{
    private readonly Dictionary<EnvelopeId, Epoch> _epochs = [];
    private readonly Dictionary<ZoneId, List<Epoch>> _byZone = [];
    private readonly Dictionary<ZoneId, ZoneCreate> _made = [];
    private readonly Dictionary<EnvelopeId, List<Wrap>> _early = [];
    private readonly Dictionary<EnvelopeId, List<KeyEdge>> _waitingForEpoch = [];
    private readonly Dictionary<ZoneId, List<KeyEdge>> _waitingForZone = [];

    public IReadOnlyCollection<Epoch> Epochs => _epochs.Values;

    /// <summary>Zone 0 and all zones that were made.</summary>
    public IEnumerable<ZoneId> Zones => _made.Keys.Prepend(ZoneId.Root);

    public Epoch? Find(EnvelopeId epoch) => _epochs.GetValueOrDefault(epoch);

    public IReadOnlyList<Epoch> In(ZoneId zone) => _byZone.TryGetValue(zone, out var epochs) ? epochs : [];

    /// <summary>What made a zone; null for zone 0 and for a zone that is not known.</summary>
    public ZoneCreate? Made(ZoneId zone) => _made.GetValueOrDefault(zone);

    /// <summary>The zone and those it lies in, from the nearest up, without zone 0; null while one of them is not known.</summary>
    public IReadOnlyList<ZoneCreate>? Chain(ZoneId zone)
    {
        var chain = new List<ZoneCreate>();
        for (; zone != ZoneId.Root; zone = chain[^1].Parent)
        {
            if (Made(zone) is not { } made || chain.Count == Limits.ZoneDepth) return null;
            chain.Add(made);
        }

        return chain;
    }

    /// <summary>Adds a zone; what waited for it is connected.</summary>
    public void Add(ZoneId zone, ZoneCreate made, Queue<KeyEdge> connected)
    {
        if (!_made.TryAdd(zone, made)) return;
        if (_waitingForZone.Remove(zone, out var waiting)) waiting.ForEach(edge => Connect(edge, connected));
    }

    /// <summary>Adds an epoch, and returns it with the wraps that came before it; null if it is there already.</summary>
    public (Epoch Epoch, IReadOnlyList<Wrap> Early)? Add(EnvelopeId id, Rotate rotate, Queue<KeyEdge> connected)
    {
        var epoch = new Epoch(id, rotate);
        if (!_epochs.TryAdd(id, epoch)) return null;
        if (!_byZone.TryGetValue(rotate.Zone, out var epochs)) _byZone.Add(rotate.Zone, epochs = []);
        epochs.Add(epoch);
        if (_waitingForEpoch.Remove(id, out var waiting)) waiting.ForEach(edge => Connect(edge, connected));
        Connect(id, rotate.HistWraps, rotate.ParentWraps, connected);
        return (epoch, _early.Remove(id, out var early) ? early : []);
    }

    /// <summary>Adds what a wrap says and returns its epoch; null if that is not here yet or of another zone.</summary>
    public Epoch? Add(Wrap wrap, Queue<KeyEdge> connected)
    {
        if (Find(wrap.Epoch) is not { } epoch)
        {
            Wait(_early, wrap.Epoch, wrap);
            return null;
        }

        if (epoch.Zone != wrap.Zone) return null;
        Connect(epoch.Id, wrap.HistWraps, wrap.ParentWraps, connected);
        return epoch;
    }

    /// <summary>
    /// The epochs of a zone, and of those it lies in, whose content key somebody else than these readers holds (§5.5): by name, or by what the keys lead to.
    /// A loop over what is sealed in these zones.
    /// </summary>
    public IReadOnlySet<EnvelopeId> HeldByOthers(ZoneId zone, IReadOnlySet<Bytes32> readers)
    {
        var epochs = new List<Epoch>(In(zone));
        for (var above = Made(zone); above is not null; above = Made(above.Parent)) epochs.AddRange(In(above.Parent));
        var leads = epochs.SelectMany(epoch => epoch.Led).ToLookup(edge => edge.From);
        HashSet<EnvelopeId> content = [], history = [];
        var open = new Queue<(EnvelopeId Epoch, bool History)>();
        foreach (var epoch in epochs)
        {
            if (!epoch.Recipients.IsSubsetOf(readers)) Mark(epoch.Id, true);
            else if (!epoch.ContentRecipients.IsSubsetOf(readers)) Mark(epoch.Id, false);
        }

        while (open.TryDequeue(out var held))
            foreach (var edge in leads[held.Epoch])
                if (held.History || edge.Parent is not null) Mark(edge.To, held.History);
        return content;

        void Mark(EnvelopeId epoch, bool withHistory)
        {
            if (content.Add(epoch) && !withHistory) open.Enqueue((epoch, false));
            if (withHistory && history.Add(epoch)) open.Enqueue((epoch, true));
        }
    }

    private void Connect(EnvelopeId epoch, IEnumerable<HistWrap> histories, IEnumerable<ParentWrap> parents, Queue<KeyEdge> connected)
    {
        foreach (var history in histories) Connect(new(epoch, history.Epoch) { History = history }, connected);
        foreach (var parent in parents) Connect(new(parent.ParentEpoch, epoch) { Parent = parent }, connected);
    }

    private void Connect(KeyEdge edge, Queue<KeyEdge> connected)
    {
        if (Find(edge.From) is not { } from)
        {
            Wait(_waitingForEpoch, edge.From, edge);
            return;
        }

        if (Find(edge.To) is not { } to)
        {
            Wait(_waitingForEpoch, edge.To, edge);
            return;
        }

        if (edge.Parent is not null && to.Zone != ZoneId.Root && Made(to.Zone) is null)
        {
            Wait(_waitingForZone, to.Zone, edge);
            return;
        }

        if (edge.Parent is null ? from.Zone != to.Zone : Made(to.Zone)?.Parent != from.Zone) return;
        from.Leads.Add(edge);
        to.Led.Add(edge);
        connected.Enqueue(edge);
    }

    private static void Wait<TKey, T>(Dictionary<TKey, List<T>> waiting, TKey key, T item)
        where TKey : notnull
    {
        if (!waiting.TryGetValue(key, out var items)) waiting.Add(key, items = []);
        items.Add(item);
    }
}
