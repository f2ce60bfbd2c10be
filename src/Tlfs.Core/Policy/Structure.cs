using Tlfs.Core.Ids;

namespace Tlfs.Core.Policy;

/// <summary>
/// The structural rules (docs/protocol/statements.md §4.1 to §4.4, §5, §6.1): what can be said of a statement from its past alone, whatever else
/// may arrive. A grant, target or proof that is not structural makes what names it not structural.
/// </summary>
internal sealed class Structure(DocId document, Func<ZoneTree> zones, Func<Forks> forks, Func<EnvelopeId, Entry?> find)
{
    /// <summary>The grant that a statement carries, or null.</summary>
    public GrantNode? GrantOf(int number, PolicyStatement statement, StatementSet past) => statement.Body switch
    {
        Genesis genesis => Root(number, statement, past, genesis.Actor, Permission.Own, ZoneId.Root, JudgeGenesis(statement, genesis)),
        Grant { Parent: null } grant => Root(
            number, statement, past, grant.Actor, grant.Permission, grant.Zone,
            statement.Author == document.Authority ? Verdict.Counts : Verdict.NotAuthority),
        Grant { Parent: { } parent } grant => Delegated(number, statement, grant, parent, past),
        _ => null,
    };

    /// <summary>The grants that a revocation or renounce names; null for other statements.</summary>
    public Ending? EndingOf(Entry entry, bool seniority) => entry.Statement.Body switch
    {
        Revoke or Renounce when forks().Freezes(entry.Statement) => new(entry, null, null, Verdict.Frozen),
        Revoke revoke => JudgeRevoke(entry, revoke, seniority),
        Renounce renounce => JudgeRenounce(entry, renounce),
        _ => null,
    };

    /// <summary>A zoneCreate that may be put into the tree (§6.1); null for other statements.</summary>
    public Verdict? CreationOf(PolicyStatement statement, StatementSet past)
    {
        if (statement.Body is not ZoneCreate creation) return null;
        if (forks().Freezes(statement)) return Verdict.Frozen;
        var structure = Resolve(creation.Grant, past, out var grant);
        if (grant is null) return structure;
        if (!grant.Actor.Contains(statement.Author)) return Verdict.NotHolder;
        if (grant.Permission < Permission.Control) return Verdict.PermissionTooLow;
        if (!IsKnown(creation.Parent, past) || !zones().IsAtOrAbove(grant.Zone, creation.Parent)) return Verdict.OutsideZone;
        return zones().Creation(statement.Id.Zone) is { } other && other != statement.Id ? Verdict.ZoneTaken : Verdict.Counts;
    }

    /// <summary>Epochs follow from those before them (§5.1), and all that are named are in the past (§5.2, §5.4).</summary>
    public Verdict JudgeEpoch(Rotate rotate, StatementSet past)
    {
        var verdict = JudgeWraps(rotate.Zone, rotate.ParentWraps, rotate.HistWraps, past);
        if (verdict != Verdict.Counts) return verdict;
        var number = 0;
        foreach (var epoch in rotate.PreviousEpochs)
        {
            if (EpochNumber(epoch, rotate.Zone, past) is not { } previous) return Verdict.NotInPast;
            number = Math.Max(number, previous + 1);
        }

        return rotate.Number == number ? Verdict.Counts : Verdict.BadEpoch;
    }

    /// <summary>The same for more wraps of an epoch.</summary>
    public Verdict JudgeEpoch(Wrap wrap, StatementSet past)
    {
        var verdict = JudgeWraps(wrap.Zone, wrap.ParentWraps, wrap.HistWraps, past);
        if (verdict != Verdict.Counts) return verdict;
        return EpochNumber(wrap.Epoch, wrap.Zone, past) is null ? Verdict.NotInPast : Verdict.Counts;
    }

    private Verdict JudgeWraps(ZoneId zone, IReadOnlyList<ParentWrap> parentWraps, IReadOnlyList<HistWrap> histWraps, StatementSet past)
    {
        if (!IsKnown(zone, past)) return Verdict.OutsideZone;
        if (histWraps.Any(history => EpochNumber(history.Epoch, zone, past) is null)) return Verdict.NotInPast;
        if (parentWraps.Count == 0) return Verdict.Counts;
        if (zones().Parent(zone) is not { } parent) return Verdict.OutsideZone;
        return parentWraps.Any(wrap => EpochNumber(wrap.ParentEpoch, parent, past) is null) ? Verdict.NotInPast : Verdict.Counts;
    }

    // The zone is zone 0, or the past has the zoneCreate that made it.
    private bool IsKnown(ZoneId zone, StatementSet past) =>
        zone == ZoneId.Root || (zones().Creation(zone) is { } creation && past.Contains(find(creation)!.Number));

    private GrantNode Root(
        int number, PolicyStatement statement, StatementSet past, Actor actor, Permission permission, ZoneId zone, Verdict structure)
    {
        if (structure == Verdict.Counts) structure = JudgeShape(actor, permission, zone, past);
        if (forks().Freezes(statement)) structure = Verdict.Frozen;
        return new()
        {
            Number = number,
            Statement = statement,
            Past = past,
            Actor = actor,
            Permission = permission,
            Zone = zone,
            Structure = structure,
            Depth = 1,
            ZoneDepth = zones().Depth(zone) ?? 0,
        };
    }

    private GrantNode Delegated(int number, PolicyStatement statement, Grant grant, GrantId parentId, StatementSet past)
    {
        var structure = Resolve(parentId, past, out var parent);
        if (parent is not null) structure = JudgeDelegation(statement.Author, grant, parent, past);
        if (forks().Freezes(statement)) structure = Verdict.Frozen;
        return new()
        {
            Number = number,
            Statement = statement,
            Past = past,
            Actor = grant.Actor,
            Permission = grant.Permission,
            Zone = grant.Zone,
            Structure = structure,
            Parent = parent,
            Depth = (parent?.Depth ?? 0) + 1,
            ZoneDepth = zones().Depth(grant.Zone) ?? 0,
        };
    }

    private Verdict JudgeGenesis(PolicyStatement statement, Genesis genesis)
    {
        if (genesis.Document != document) return Verdict.WrongDocument;
        return statement.Author == document.Authority && statement.Seq == 1 && statement.Auth.Count == 0 ? Verdict.Counts : Verdict.BadGenesis;
    }

    private Verdict JudgeDelegation(PeerId author, Grant grant, GrantNode parent, StatementSet past)
    {
        if (!parent.Actor.Contains(author)) return Verdict.NotHolder;
        if (!IsKnown(grant.Zone, past) || !zones().IsAtOrAbove(parent.Zone, grant.Zone)) return Verdict.OutsideZone;
        var delegates = parent.Permission == Permission.Own || (parent.Permission == Permission.Control && grant.Permission <= Permission.Write);
        if (!delegates) return Verdict.PermissionTooLow;
        return parent.Depth < Limits.DelegationDepth ? JudgeShape(grant.Actor, grant.Permission, grant.Zone, past) : Verdict.TooDeep;
    }

    private Verdict JudgeShape(Actor actor, Permission permission, ZoneId zone, StatementSet past)
    {
        if (!IsKnown(zone, past)) return Verdict.OutsideZone;
        return actor is AnyoneActor && permission != Permission.Sync ? Verdict.AnyoneOnlySync : Verdict.Counts;
    }

    private Ending JudgeRevoke(Entry entry, Revoke revoke, bool seniority)
    {
        var author = entry.Statement.Author;
        var structure = Resolve(revoke.Target, entry.Past, out var target);
        if (target is null) return new(entry, null, null, structure);
        if (revoke.Proof is not { } proofId)
            return new(entry, target, null, author == document.Authority ? Verdict.Counts : Verdict.NotAuthority);
        structure = Resolve(proofId, entry.Past, out var proof);
        if (proof is null) return new(entry, target, null, structure);
        if (!proof.Actor.Contains(author)) structure = Verdict.NotHolder;
        else if (proof.Permission < Permission.Control) structure = Verdict.PermissionTooLow;
        else if (!GrantNode.Dominates(proof, target, zones(), seniority)) structure = Verdict.NotDominated;
        return new(entry, target, proof, structure);
    }

    private Ending JudgeRenounce(Entry entry, Renounce renounce)
    {
        var structure = Resolve(renounce.Target, entry.Past, out var target);
        if (target is null) return new(entry, null, null, structure);
        if (target.Actor is AnyoneActor) structure = Verdict.AnyoneOnlySync;
        else if (!target.Actor.Contains(entry.Statement.Author)) structure = Verdict.NotHolder;
        return new(entry, target, target, structure);
    }

    // Sets the grant exactly when it is in the past and structural.
    private Verdict Resolve(GrantId id, StatementSet past, out GrantNode? grant)
    {
        grant = null;
        if (find(id.Envelope) is not { Grant: { } found } || !past.Contains(found.Number)) return Verdict.NotInPast;
        if (found.Structure != Verdict.Counts) return Verdict.RestsOnMalformed;
        grant = found;
        return Verdict.Counts;
    }

    private int? EpochNumber(EnvelopeId epoch, ZoneId zone, StatementSet past) =>
        find(epoch) is { Statement.Body: Rotate rotate } entry && rotate.Zone == zone && past.Contains(entry.Number) ? rotate.Number : null;
}
