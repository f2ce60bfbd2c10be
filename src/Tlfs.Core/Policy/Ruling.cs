using Tlfs.Core.Ids;

namespace Tlfs.Core.Policy;

/// <summary>What the policy says about a statement or an envelope. Only <see cref="Counts"/> is in favour; the zero value is not.</summary>
public enum Verdict
{
    /// <summary>Not judged: the statement is not in the set.</summary>
    Unknown = 0,
    /// <summary>It is authorised and counts.</summary>
    Counts,

    // Not structural: no statement that may still arrive changes this
    /// <summary>It says that it is of another document.</summary>
    WrongDocument,
    /// <summary>The genesis is not the first envelope of the document's authority, or there is an earlier one by id.</summary>
    BadGenesis,
    /// <summary>It names no grant of its author, and the author is not the document's authority.</summary>
    NotAuthority,
    /// <summary>A grant or epoch that it names is not in its past.</summary>
    NotInPast,
    /// <summary>A grant that it names is not structural.</summary>
    RestsOnMalformed,
    /// <summary>Its author is not the actor of the grant it relies on.</summary>
    NotHolder,
    /// <summary>The zone is not known, or not inside that of the grant it relies on.</summary>
    OutsideZone,
    /// <summary>The grant it relies on does not allow to give or take that permission.</summary>
    PermissionTooLow,
    /// <summary>Anyone may have Sync only, and nobody may give it up for everyone.</summary>
    AnyoneOnlySync,
    /// <summary>More grants between it and the document's authority than <see cref="Limits.DelegationDepth"/>.</summary>
    TooDeep,
    /// <summary>The grant it relies on does not outrank the grant it would end.</summary>
    NotDominated,
    /// <summary>The number of an epoch does not follow from the epochs before it.</summary>
    BadEpoch,
    /// <summary>Account keys belong into account documents.</summary>
    NotAccountDocument,
    /// <summary>Another zone has the first 16 bytes of its id.</summary>
    ZoneTaken,
    /// <summary>Its author signed two envelopes with one number, and this comes at or after that (docs/protocol/statements.md §4.11). Other envelopes than statements may be released.</summary>
    Frozen,
    /// <summary>It proves nothing that freezes an author.</summary>
    NoFork,

    // Not authorised by the statements held
    /// <summary>The grant it relies on does not count.</summary>
    GrantDoesNotCount,
    /// <summary>The grant it relies on was revoked, and the revoker had not seen it.</summary>
    Revoked,
    /// <summary>The grant it relies on had been given up before.</summary>
    Renounced,
    /// <summary>No grant in its past gives its author the permission.</summary>
    NoGrant,
    /// <summary>It comes after the last envelope of its author that the revocation lets count.</summary>
    AfterCut,
    /// <summary>It is not on the chain of its author that the revocation names.</summary>
    OffChain,

    // Not accepted because of a limit
    /// <summary>The document holds <see cref="Limits.Statements"/> statements.</summary>
    TooManyStatements,
    /// <summary>The author has revoked the grant <see cref="Limits.RevocationsPerGrant"/> times.</summary>
    TooManyRevocations,
    /// <summary>The author has proven this fork before, or <see cref="Limits.ProofsPerAuthor"/> others.</summary>
    TooManyProofs,
    /// <summary>The document holds <see cref="Limits.Zones"/> zones.</summary>
    TooManyZones,
    /// <summary>The zone would lie deeper than <see cref="Limits.ZoneDepth"/>.</summary>
    ZoneTooDeep,
    /// <summary>Its author had not seen all statements that are held: zones are made one after the other.</summary>
    PolicyMoved,
}

/// <summary>A verdict and, where one statement is to blame, which.</summary>
/// <param name="Verdict">The verdict.</param>
/// <param name="By">The revocation or renounce that decided, if one did.</param>
public readonly record struct Ruling(Verdict Verdict, EnvelopeId? By = null)
{
    /// <summary>True only for <see cref="Verdict.Counts"/>.</summary>
    public bool Counts => Verdict == Verdict.Counts;

    /// <summary>True if it is not accepted because of a limit.</summary>
    public bool IsBeyondLimit => Verdict is Verdict.TooManyStatements or Verdict.TooManyRevocations or Verdict.TooManyProofs or Verdict.TooManyZones or Verdict.ZoneTooDeep;

    /// <summary>One sentence for a person, without ids.</summary>
    public string Why => Verdict switch
    {
        Verdict.Unknown => "The statement is not known here.",
        Verdict.Counts => "It is authorised.",
        Verdict.WrongDocument => "It belongs to another document.",
        Verdict.BadGenesis => "It is not the document's first statement.",
        Verdict.NotAuthority => "Only the document's authority may do this without a grant.",
        Verdict.NotInPast => "It names a statement that its author had not seen.",
        Verdict.RestsOnMalformed => "The grant it names is not well-formed.",
        Verdict.NotHolder => "The grant it relies on belongs to somebody else.",
        Verdict.OutsideZone => "The zone lies outside that of the grant it relies on.",
        Verdict.PermissionTooLow => "The grant it relies on does not allow this.",
        Verdict.AnyoneOnlySync => "Anyone may have sync only, and nobody may give it up for everyone.",
        Verdict.TooDeep => "Too many grants lie between it and the document's authority.",
        Verdict.NotDominated => "The grant it relies on does not outrank the one it would end.",
        Verdict.BadEpoch => "The epoch's number does not follow from the epochs before it.",
        Verdict.NotAccountDocument => "Account keys belong into account documents.",
        Verdict.GrantDoesNotCount => "The grant it relies on does not count.",
        Verdict.Revoked => "The grant it relies on was revoked.",
        Verdict.Renounced => "The grant it relies on was given up.",
        Verdict.NoGrant => "No grant allows this.",
        Verdict.AfterCut => "It was written after its author was revoked.",
        Verdict.OffChain => "It is not on the chain of its author that the revocation names.",
        Verdict.TooManyStatements => "The document holds as many statements as a document may.",
        Verdict.Frozen => "Its author signed two envelopes with one number; an owner has to say which one counts.",
        Verdict.NoFork => "It proves nothing about an author.",
        Verdict.TooManyProofs => "The author has proven that already, or too often.",
        Verdict.ZoneTaken => "Another zone has that id.",
        Verdict.TooManyZones => "The document holds as many zones as a document may.",
        Verdict.ZoneTooDeep => "Zones may not be nested deeper.",
        Verdict.PolicyMoved => "Another statement came first; the zone has to be made anew.",
        Verdict.TooManyRevocations => "The author has revoked this grant too often.",
    };
}

/// <summary>A grant as the statements held make it.</summary>
/// <param name="Statement">The statement that carries it.</param>
/// <param name="Actor">Whom it names.</param>
/// <param name="Permission">What it allows.</param>
/// <param name="Zone">Where.</param>
/// <param name="Parent">The grant it rests on; null for the authority's own.</param>
/// <param name="Ruling">Whether it is valid (docs/protocol/statements.md §4.5), and why not.</param>
/// <param name="EndedBy">An effective revocation or renounce of it, or null.</param>
public sealed record GrantStatus(
    PolicyStatement Statement, Actor Actor, Permission Permission, ZoneId Zone, GrantId? Parent, Ruling Ruling, EnvelopeId? EndedBy)
{
    /// <summary>The grant.</summary>
    public GrantId Id => Statement.Id.Grant;

    /// <summary>The path to which it is narrowed, hidden; null if it covers its zone.</summary>
    public SubPath? Sub => (Statement.Body as Grant)?.Sub;

    /// <summary>True if it gives no history.</summary>
    public bool FromNow => Statement.Body is Grant { FromNow: true };

    /// <summary>True if it is valid: envelopes that rely on it may count.</summary>
    public bool Valid => Ruling.Counts;

    /// <summary>True if a revocation or renounce of it is effective.</summary>
    public bool Revoked => EndedBy is not null;

    /// <summary>True if it gives its actor the permission now (§4.9).</summary>
    public bool Holds => Valid && !Revoked;
}
