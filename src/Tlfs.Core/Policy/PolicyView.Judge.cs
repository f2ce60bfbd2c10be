using Tlfs.Core.Ids;

namespace Tlfs.Core.Policy;

/// <content>Which statements and envelopes count, and why not.</content>
public sealed partial class PolicyView
{
    /// <summary>Judges an envelope that needs a permission on the whole document: on zone 0.</summary>
    public Ruling Judge(
        PeerId author, ulong seq, EnvelopeId id, IReadOnlyList<EnvelopeId> auth, Permission needed, Func<PeerId, ulong, EnvelopeId?> chain) =>
        Judge(author, seq, id, auth, needed, ZoneId.Root, chain);

    /// <summary>Judges what an envelope does in all of a zone (§4.8): a part of it, or the keys.</summary>
    /// <param name="author">Who signed it.</param>
    /// <param name="seq">Its number on the author's chain.</param>
    /// <param name="id">The envelope.</param>
    /// <param name="auth">Its policy heads; those that the set does not hold cover nothing.</param>
    /// <param name="needed">The permission it needs.</param>
    /// <param name="zone">Where it needs it.</param>
    /// <param name="chain">The envelope that is held of an author at a number, or null.</param>
    public Ruling Judge(
        PeerId author, ulong seq, EnvelopeId id, IReadOnlyList<EnvelopeId> auth, Permission needed, ZoneId zone, Func<PeerId, ulong, EnvelopeId?> chain) =>
        JudgeUses(grant => !grant.HasSub && grant.Permission >= needed && Zones.IsAtOrAbove(grant.Zone, zone), author, seq, id, auth, chain);

    /// <summary>
    /// The grants on one path that the envelope may rely on for a part in the zone (§4.9), in the same order on all replicas: the part's
    /// operations must be at or under the path of one that the part opens.
    /// </summary>
    /// <param name="author">Who signed it.</param>
    /// <param name="seq">Its number on the author's chain.</param>
    /// <param name="id">The envelope.</param>
    /// <param name="auth">Its policy heads; those that the set does not hold cover nothing.</param>
    /// <param name="zone">The part's zone.</param>
    /// <param name="chain">The envelope that is held of an author at a number, or null.</param>
    public IReadOnlyList<GrantId> PathGrants(
        PeerId author, ulong seq, EnvelopeId id, IReadOnlyList<EnvelopeId> auth, ZoneId zone, Func<PeerId, ulong, EnvelopeId?> chain)
    {
        var heads = Heads(auth);
        if (!IsReleased(author, seq, id, heads, chain)) return [];
        return [.. _evaluation.Index.Of(author)
            .Where(grant => IsPathGrant(grant, zone) && Covers(heads, grant.Number) && JudgeUse(grant, heads, author, seq, id, chain).Counts)
            .Select(grant => grant.Statement.Id.Grant)];
    }

    /// <summary>
    /// What a server can say of a delta or snapshot (§4.9), which is for each part whether its author may write in the zone: in all of it, or in
    /// a delta also on some path. An envelope without parts needs that in some zone.
    /// </summary>
    /// <param name="author">Who signed it.</param>
    /// <param name="seq">Its number on the author's chain.</param>
    /// <param name="id">The envelope.</param>
    /// <param name="auth">Its policy heads; those that the set does not hold cover nothing.</param>
    /// <param name="zones">The zones of its parts, and those that a snapshot says it covers.</param>
    /// <param name="isSnapshot">True for a snapshot.</param>
    /// <param name="chain">The envelope that is held of an author at a number, or null.</param>
    public Ruling JudgeParts(
        PeerId author, ulong seq, EnvelopeId id, IReadOnlyList<EnvelopeId> auth, IReadOnlyList<ZoneId> zones, bool isSnapshot,
        Func<PeerId, ulong, EnvelopeId?> chain)
    {
        bool Writes(GrantNode grant) => grant.InWholeZone >= Permission.Write || (grant.HasSub && !isSnapshot);
        if (zones.Count == 0) return JudgeUses(Writes, author, seq, id, auth, chain);
        foreach (var zone in zones)
        {
            var ruling = JudgeUses(grant => Writes(grant) && Zones.IsAtOrAbove(grant.Zone, zone), author, seq, id, auth, chain);
            if (!ruling.Counts) return ruling;
        }

        return new(Verdict.Counts);
    }

    /// <summary>True if a server stores the statement (§4, last paragraph): <see cref="Judge(PolicyStatement, Func{PeerId, ulong, EnvelopeId?})"/>.</summary>
    public bool IsAcceptable(PolicyStatement statement, Func<PeerId, ulong, EnvelopeId?> chain) => Judge(statement, chain).Counts;

    /// <summary>
    /// Judges a statement, be it in the set or about to be added; its auth must be held. A grant counts if it is valid, a revocation or
    /// renounce if it is effective, a zoneCreate if the grant it names may be used, a rotate or wrap if its author may Write the zone, an
    /// account key if its author may Own an account document. A statement that is not in the set must also keep the limits, and a zoneCreate
    /// must have seen the whole set.
    /// </summary>
    /// <param name="statement">The statement.</param>
    /// <param name="chain">The envelope that is held of an author at a number, or null.</param>
    public Ruling Judge(PolicyStatement statement, Func<PeerId, ulong, EnvelopeId?> chain)
    {
        if (statement.Document != Document) return new(Verdict.WrongDocument);
        var known = Find(statement.Id);
        if (known is null && _byId.Count >= Limits.Statements) return new(Verdict.TooManyStatements);
        if (_forks.Freezes(statement)) return new(Verdict.Frozen);
        var entry = known ?? Unheld(statement);
        return statement.Body switch
        {
            Genesis or Policy.Grant => JudgeGrant(entry.Grant!),
            Revoke or Renounce => JudgeEnding(entry),
            ZoneCreate creation => JudgeCreation(entry, creation, chain),
            Equivocation proof => JudgeProof(entry, proof),
            AccountKey when !_evaluation.HasSeniority => new(Verdict.NotAccountDocument),
            AccountKey => Judge(statement.Author, statement.Seq, statement.Id, statement.Auth, Permission.Own, chain),
            Rotate rotate => JudgeEpoch(entry, _structure.JudgeEpoch(rotate, entry.Past), rotate.Zone, chain),
            Wrap wrap => JudgeEpoch(entry, _structure.JudgeEpoch(wrap, entry.Past), wrap.Zone, chain),
            _ => throw new InvalidOperationException("Statement is closed"),
        };
    }

    // Number -1 is in no set: what is not held yet was seen by nobody.
    private Entry Unheld(PolicyStatement statement)
    {
        var past = PolicySet.PastOf(statement.Auth, Find);
        return new(-1, statement, past) { Grant = _structure.GrantOf(-1, statement, past), Creation = _structure.CreationOf(statement, past) };
    }

    private Ruling JudgeGrant(GrantNode grant)
    {
        if (grant.Number >= 0) return RulingOf(grant);
        if (grant.Structure != Verdict.Counts) return new(grant.Structure);
        if (grant.Statement.Body is Genesis && Kind is not null) return new(Verdict.BadGenesis);
        return Explain(_evaluation.Rely(grant.Parent, grant.Number, grant.Past), grant.Parent, grant.Number, grant.Past);
    }

    private Ruling JudgeEnding(Entry entry)
    {
        var ending = _structure.EndingOf(entry, _evaluation.HasSeniority)!;
        if (ending.Structure == Verdict.Counts && entry.Number < 0 && HasRevokedTooOften(ending)) return new(Verdict.TooManyRevocations);
        return Explain(VerdictOf(ending), ending.Proof, entry.Number, entry.Past);
    }

    private Verdict VerdictOf(Ending ending) => ending.Structure == Verdict.Counts
        ? _evaluation.Rely(ending.Proof, ending.Entry.Number, ending.Entry.Past, ending.IsRenounce)
        : ending.Structure;

    // Counted by author, so that nobody can use up the revocations that a superior needs.
    private bool HasRevokedTooOften(Ending ending)
    {
        var state = _evaluation.StateOf(ending.Target!);
        var earlier = ending.IsRenounce ? state.Renounces : state.Revocations;
        return earlier.Count(other => other.Entry.Statement.Author == ending.Entry.Statement.Author) >= Limits.RevocationsPerGrant;
    }

    private Ruling JudgeCreation(Entry entry, ZoneCreate creation, Func<PeerId, ulong, EnvelopeId?> chain)
    {
        if (entry.Creation is { } structure and not Verdict.Counts) return new(structure);
        var statement = entry.Statement;
        var ruling = JudgeUse(Find(creation.Grant.Envelope)!.Grant!, Heads(statement.Auth), statement.Author, statement.Seq, statement.Id, chain);
        if (!ruling.Counts || entry.Number >= 0) return ruling;
        if (Zones.Count >= Limits.Zones) return new(Verdict.TooManyZones);
        if (Zones.Depth(creation.Parent) >= Limits.ZoneDepth) return new(Verdict.ZoneTooDeep);
        return entry.Past.Count == _entries.Count ? ruling : new(Verdict.PolicyMoved);
    }

    private Ruling JudgeEpoch(Entry entry, Verdict structure, ZoneId zone, Func<PeerId, ulong, EnvelopeId?> chain)
    {
        var statement = entry.Statement;
        return structure == Verdict.Counts
            ? Judge(statement.Author, statement.Seq, statement.Id, statement.Auth, Permission.Write, zone, chain)
            : new(structure);
    }

    private Ruling JudgeUses(
        Func<GrantNode, bool> suffices, PeerId author, ulong seq, EnvelopeId id, IReadOnlyList<EnvelopeId> auth, Func<PeerId, ulong, EnvelopeId?> chain)
    {
        var heads = Heads(auth);
        if (!IsReleased(author, seq, id, heads, chain)) return new(Verdict.Frozen);
        var ruling = new Ruling(Verdict.NoGrant);
        foreach (var grant in GrantsOf(author))
        {
            if (!suffices(grant) || !Covers(heads, grant.Number)) continue;
            ruling = JudgeUse(grant, heads, author, seq, id, chain);
            if (ruling.Counts) return ruling;
        }

        return ruling;
    }

    private Ruling JudgeUse(
        GrantNode grant, List<Entry> heads, PeerId author, ulong seq, EnvelopeId id, Func<PeerId, ulong, EnvelopeId?> chain)
    {
        var state = _evaluation.StateOf(grant);
        if (state.Verdict != Verdict.Counts) return new(Verdict.GrantDoesNotCount);
        if (state.Renounces.FirstOrDefault(renounce => Covers(heads, renounce.Entry.Number)) is { } left) return new(Verdict.Renounced, left.Entry.Statement.Id);
        foreach (var revocation in state.Revocations)
        {
            var verdict = JudgeCut((Revoke)revocation.Entry.Statement.Body, author, seq, id, chain);
            if (verdict != Verdict.Counts) return new(verdict, revocation.Entry.Statement.Id);
        }

        return new(Verdict.Counts);
    }

    private static Verdict JudgeCut(Revoke revoke, PeerId author, ulong seq, EnvelopeId id, Func<PeerId, ulong, EnvelopeId?> chain)
    {
        if (revoke.CutOf(author) is not { } cut || seq > cut.Seq) return Verdict.AfterCut;
        var held = seq == cut.Seq ? id : chain(author, cut.Seq);
        return held is null || held == cut.Envelope ? Verdict.Counts : Verdict.OffChain;
    }

    private static bool Covers(List<Entry> heads, int number) => heads.Exists(head => head.Number == number || head.Past.Contains(number));

    private bool IsPathGrant(GrantNode grant, ZoneId zone) => grant.HasSub && Zones.IsAtOrAbove(grant.Zone, zone);

    private List<Entry> Heads(IReadOnlyList<EnvelopeId> auth) => [.. auth.Select(Find).OfType<Entry>()];
}
