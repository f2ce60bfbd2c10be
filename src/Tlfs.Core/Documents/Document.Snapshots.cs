using Tlfs.Core.Crdt;
using Tlfs.Core.Ids;
using Tlfs.Core.Policy;
using Tlfs.Core.Sealing;

namespace Tlfs.Core.Documents;

/// <summary>A whole snapshot that a document holds.</summary>
/// <param name="Maker">Who made it.</param>
/// <param name="Series">Its envelopes, in order.</param>
/// <param name="Covered">The envelopes that it stands for: the causal past of its first one.</param>
public sealed record Snapshot(PeerId Maker, IReadOnlyList<EnvelopeId> Series, IReadOnlySet<EnvelopeId> Covered);

// Beginning with what is there instead of how it came about (docs/protocol/envelope.md §5).
public sealed partial class Document
{
    /// <summary>The newest whole snapshot whose maker had the right, of all that this account may read; null if there is none.</summary>
    public Snapshot? NewestSnapshot()
    {
        ZoneId[] needed = [.. AllZones().Where(zone => Policy.MayRead(Own.Device.Public, zone)).Order()];
        for (var number = _log.Count - 1; number >= 0; number--)
        {
            var held = _log[number];
            if (held.Header.Type != EnvelopeType.Snapshot || Body(held) is not { } body || body.Index != body.Count - 1) continue;
            if (needed.Length > 0 && needed.All(body.Zones.Contains) && Series(held, body) is { } series) return new(held.Header.Author, series, CausalPast(series[0]));
        }

        return null;
    }

    /// <summary>How many envelopes came after the last snapshot, or at all.</summary>
    internal int SinceSnapshot => _log.Count - (_tree.TryGet(DocumentKey.Of(DocumentTag.Snapshot), out var last) ? DocumentKey.Number(last.Span) + 1 : 0);

    /// <summary>Envelopes with parts that this account may read and that are not here.</summary>
    public IEnumerable<EnvelopeId> Withheld() =>
        _log.Where(held => held.Parts.Any(part => !held.Envelope.Has(part.Index) && Policy.MayRead(Own.Device.Public, part.Zone))).Select(held => held.Id);

    /// <summary>
    /// Compares a snapshot with the parts that it stands for, all of which are here: true if nothing that was there when it was made is missing in it, and
    /// nothing is in it that was removed before.
    /// </summary>
    public bool IsHonest(Snapshot snapshot)
    {
        var forwarded = new HashSet<Dot>();
        foreach (var held in snapshot.Series.Select(id => _log.Find(id)!))
            foreach (var part in held.Parts.Where(part => part.IsOpen))
                foreach (var forward in ContentOf(held, part).Forwards)
                    forwarded.UnionWith(forward.Operations.Select(operation => new Dot(forward.Envelope, (ushort)forward.Part, (uint)operation.Index)));
        var zones = Body(_log.Find(snapshot.Series[0])!)!.Zones;
        var map = Zones;
        var shown = _state.ShownOperations().Where(each => snapshot.Covered.Contains(each.Dot.Envelope) && zones.Contains(map.Of(each.Path))).Select(each => each.Dot).ToHashSet();
        var voidRemoves = RemovedByVoid(snapshot.Covered);
        return shown.All(dot => forwarded.Contains(dot) || voidRemoves.Contains(dot))
            && forwarded.All(dot => shown.Contains(dot) || !_state.RemoversOf(dot).Any(snapshot.Covered.Contains));
    }

    private static SnapshotBody? Body(HeldEnvelope held) => SnapshotBody.TryDecode(held.Envelope.Body, out var body, out _) ? body : null;

    // Consecutive on one chain, of one making, and allowed.
    private List<EnvelopeId>? Series(HeldEnvelope last, SnapshotBody body)
    {
        var header = last.Header;
        if (header.Seq < (ulong)body.Count) return null;
        var series = new List<EnvelopeId>();
        for (var index = 0; index < body.Count; index++)
        {
            var id = _chains.At(header.Author, header.Seq - (ulong)(body.Count - 1 - index));
            if (id is null || _log.Find(id.Value) is not { Header.Type: EnvelopeType.Snapshot } held) return null;
            if (Body(held) is not { } other || other.Index != index || other.Count != body.Count || !other.Zones.SequenceEqual(body.Zones)) return null;
            if (!held.Parts.All(part => Policy.Judge(header.Author, held.Header.Seq, held.Id, held.Header.Auth, Permission.Write, part.Zone, _chains.At).Counts)) return null;
            series.Add(held.Id);
        }

        return series;
    }

    // Causes lie before effects, so one pass from the end suffices.
    private HashSet<EnvelopeId> CausalPast(EnvelopeId of)
    {
        var first = _log.Find(of)!;
        HashSet<EnvelopeId> past = [.. Causes(first.Header)];
        for (var number = first.Number - 1; number >= 0; number--)
            if (_log[number] is var held && past.Contains(held.Id)) past.UnionWith(Causes(held.Header));
        return past;
    }

    private static IEnumerable<EnvelopeId> Causes(EnvelopeHeader header)
    {
        IEnumerable<EnvelopeId> causes = header.Deps.Concat(header.Auth);
        return header.Seq == 1 ? causes : causes.Append(header.Prev);
    }

    // What was gone when the snapshot was made, and is there again because whoever removed it had no right.
    private HashSet<Dot> RemovedByVoid(IReadOnlySet<EnvelopeId> among) =>
    [
        .. _log.Where(held => held.Outcome.Status == EnvelopeStatus.Void && among.Contains(held.Id))
            .SelectMany(held => held.Parts.Where(part => part.IsOpen && part.Outcome.Status == EnvelopeStatus.Void).SelectMany(part => ContentOf(held, part).Operations))
            .OfType<Remove>().SelectMany(remove => remove.Dots),
    ];
}
