using Tlfs.Core.Crdt;
using Tlfs.Core.Crypto;
using Tlfs.Core.Ids;
using Tlfs.Core.Policy;
using Tlfs.Core.Schema;
using Tlfs.Core.Sealing;

namespace Tlfs.Core.Documents;

/// <summary>
/// Makes this device's next envelopes in a document: one bundle that is stored and pushed together or not at all. The document takes them at once;
/// if the bundle cannot be stored, or a call here throws, the document object must be thrown away and loaded anew.
/// </summary>
/// <param name="document">The document.</param>
/// <param name="entropy">Unpredictable bytes.</param>
/// <param name="seen">The last log head that was verified and that the next envelope should carry; null for none.</param>
public sealed partial class DocumentAuthor(Document document, IEntropy entropy, LogHead? seen = null)
{
    private readonly List<Envelope> _bundle = [];
    private LogHead? _seen = seen;

    /// <summary>What was made so far.</summary>
    public IReadOnlyList<Envelope> Bundle => _bundle;

    private PeerId Self => document.Own.Device.Public;

    /// <summary>
    /// Begins an empty document: its authority signs the genesis, then come the first epoch and a delta that carries the schema. The caller
    /// destroys the authority key afterwards.
    /// </summary>
    public void Begin(SigningKey authority, TlfsVersion schema)
    {
        Take(Draft.First(document.Id).SignStatement(authority, new Genesis(document.Id, DocumentKind.App, document.Own.Card.Actor).Encode()));
        Rotate(ZoneId.Root);
        Seal([], schema);
    }

    /// <summary>One transaction: all edits become one delta. Throws a <see cref="TlfsException"/> and changes nothing if an edit is refused.</summary>
    /// <returns>The delta's id and its number of operations.</returns>
    public (EnvelopeId Envelope, int Operations) Edit(Action<Transaction> edit)
    {
        var schema = document.Schema;
        RequireSomeWrite();
        IReadOnlyList<Operation> operations;
        using (var transaction = new Transaction(document.State, schema.List.View, entropy))
        {
            edit(transaction);
            operations = transaction.Build();
        }

        Seal(operations, schema);
        return (_bundle[^1].Id, operations.Count);
    }

    /// <summary>Writes operations that were made before, for example those of an envelope that was withdrawn, as one delta.</summary>
    /// <returns>The name of each operation in it.</returns>
    public IReadOnlyList<Dot> Write(IReadOnlyList<Operation> operations)
    {
        RequireSomeWrite();
        return Seal(operations, document.Schema);
    }

    /// <summary>
    /// Ends a grant. What its holder wrote up to what is held here keeps counting. If a reader loses access, new keys follow in the same bundle, of the
    /// grant's zone and of all zones below.
    /// </summary>
    public EnvelopeId Revoke(GrantId target)
    {
        var grant = document.Policy.Grant(target) ?? throw new TlfsException(Reason.GrantNotFound, "no grant with that id in this document; list them with: grants DOC");
        if (grant.Revoked) throw new TlfsException(Reason.NothingToDo, "the grant was revoked before");
        var cuts = CutsFor(grant.Actor);
        var id = State(OwnGrants().Select(proof => new Revoke(target, proof.Id, cuts)), Reason.NotAuthorised);
        if (grant.Permission >= Permission.Read) RotateUnclean();
        return id;
    }

    /// <summary>Gives up a grant of one's own.</summary>
    public EnvelopeId Renounce(GrantId target) => State([new Renounce(target)], Reason.NotAuthorised);

    // A delta with a part for each zone that is written.
    private List<Dot> Seal(IReadOnlyList<Operation> operations, TlfsVersion schema)
    {
        var parts = document.Zones.Split(operations, document.State);
        if (parts.Count > Limits.Parts) throw new TlfsException(Reason.TooLarge, $"one transaction writes to at most {Limits.Parts} separately shared parts of a document; split it");
        var openings = parts.Select(OpeningsFor).ToArray();
        var contents = parts.Select((part, i) => Content(part, openings[i], schema)).ToArray();
        foreach (var part in parts) UsableEpoch(part.Zone);
        var reliesOn = parts.SelectMany((part, i) => openings[i].Count == 0 ? OwnWrite(part.Zone) : openings[i].Select(opening => opening.Grant.Envelope));
        var id = Seal(EnvelopeType.Delta, parts.Select(part => part.Zone), contents, default, reliesOn);
        var dots = new Dot[operations.Count];
        for (ushort part = 0; part < parts.Count; part++)
        {
            var first = contents[part].Operations.Count - parts[part].Operations.Count;
            for (var i = 0; i < parts[part].Origins.Count; i++) dots[parts[part].Origins[i]] = new(id, part, (uint)(first + i));
        }

        return [.. dots];
    }

    private OpenedPart Content(ZonePart part, IReadOnlyList<Opening> openings, TlfsVersion schema)
    {
        List<Operation> operations = document.Carries(schema.List.Hash, part.Zone)
            ? part.Operations
            : [new SchemaOperation(schema.Version, schema.List), .. part.Operations];
        return operations.Count <= Limits.Operations
            ? new(schema.List.Hash, operations, openings, [])
            : throw new TlfsException(Reason.TooLarge, $"one transaction makes at most {Limits.Operations} operations; split it");
    }

    private EnvelopeId Seal(EnvelopeType type, IEnumerable<ZoneId> zones, OpenedPart[] contents, ReadOnlySpan<byte> body, IEnumerable<EnvelopeId> reliesOn)
    {
        var parts = zones.Select((zone, i) =>
        {
            var epoch = UsableEpoch(zone);
            var content = new PartContent(contents[i].Schema, Operation.EncodeAll(contents[i].Operations)) { Openings = contents[i].Openings, Forwards = contents[i].Forwards };
            return new PartDraft(zone, epoch, document.Keyring.ContentKey(zone, epoch, out _)!, content);
        }).ToArray();
        var envelope = NextDraft(reliesOn).Seal(type, document.Own.Device, entropy, parts, body);
        return Take(envelope, document.TakeOwn(envelope, contents));
    }

    // The strongest first, so that chains of delegation stay short.
    private IEnumerable<GrantStatus> OwnGrants() => document.Policy.Grants
        .Where(grant => grant.Holds && grant.Actor.Contains(Self) && grant.Permission >= Permission.Control)
        .OrderByDescending(grant => grant.Permission);

    private Cut[] CutsFor(Actor actor)
    {
        if (actor.Peer is not { } author) return [];
        var seq = document.Chains.Length(author);
        while (document.Chains.At(author, seq) is { } last && !Counts(last)) seq--;
        return document.Chains.At(author, seq) is { } id ? [new(author, seq, id)] : [];
    }

    // Takes the first of the candidates that the evaluation accepts; if none is, the last one's verdict is the answer.
    private EnvelopeId State(IEnumerable<Statement> candidates, Reason refusal)
    {
        var why = "You hold no grant that allows this.";
        foreach (var statement in candidates)
        {
            var envelope = Signed(statement);
            var header = envelope.Header;
            var ruling = document.Policy.Judge(new PolicyStatement(envelope.Id, header.Document, header.Author, header.Seq, header.Auth, statement), document.Chains.At);
            if (ruling.Counts) return Take(envelope);
            why = ruling.Why;
        }

        throw new TlfsException(refusal, why);
    }

    private EnvelopeId Sign(Statement statement) => Take(Signed(statement));

    private Envelope Signed(Statement statement) => NextDraft(ReliesOn(statement)).SignStatement(document.Own.Device, statement.Encode());

    // What has to be in the past of a statement so that it can count (statements.md §4, §5).
    private IEnumerable<EnvelopeId> ReliesOn(Statement statement) => statement switch
    {
        Grant { Parent: { } parent } grant => [parent.Envelope, .. Made(grant.Zone)],
        Revoke { Proof: { } proof } revoke => [proof.Envelope, revoke.Target.Envelope],
        Renounce renounce => [renounce.Target.Envelope],
        ZoneCreate zone => [zone.Grant.Envelope, .. Made(zone.Parent)],
        Rotate rotate =>
        [
            .. OwnWrite(rotate.Zone), .. Made(rotate.Zone), .. rotate.PreviousEpochs, .. rotate.ParentWraps.Select(parent => parent.ParentEpoch),
            .. document.Policy.Readers(rotate.Zone).Where(reader => !reader.History).SelectMany(reader => reader.Grants).Select(grant => grant.Envelope),
        ],
        Wrap wrap => [.. OwnWrite(wrap.Zone), wrap.Epoch, .. wrap.HistWraps.Select(history => history.Epoch), .. wrap.ParentWraps.Select(parent => parent.ParentEpoch)],
        _ => [],
    };

    private IEnumerable<EnvelopeId> Made(ZoneId zone) => document.Policy.Zones.Creation(zone) is { } creation ? [creation] : [];

    private IEnumerable<EnvelopeId> OwnWrite(ZoneId zone) => document.Policy.Standing(Self, Permission.Write, zone) is { } grant ? [grant.Envelope] : [];

    private EnvelopeId Take(Envelope envelope) => Take(envelope, document.Receive(envelope, verified: true));

    private EnvelopeId Take(Envelope envelope, Outcome outcome)
    {
        if (outcome.Status != EnvelopeStatus.Applied)
            throw new TlfsException(outcome.Reason ?? Reason.Internal, outcome.Why ?? $"this device's own envelope is {outcome.Status}");
        _bundle.Add(envelope);
        _seen = null;
        return envelope.Id;
    }

    private Draft NextDraft(IEnumerable<EnvelopeId> reliesOn)
    {
        var length = document.Chains.Length(Self);
        var previous = document.Chains.At(Self, length);
        List<EnvelopeId> required = [];
        if (previous is { } id)
        {
            // A statement covers its own auth, so it comes first: then that takes no heads of its own.
            var held = document.Find(id)!;
            if (held.Statement is not null) required.Add(id);
            required.AddRange(held.Header.Auth);
        }

        required.AddRange(reliesOn.Where(document.Statements.Contains));
        var auth = document.Statements.AuthFor(required);
        if (auth.Count > Limits.Auth) throw new TlfsException(Reason.TooLarge, "too many people shared or revoked at the same time; sync, let somebody else write, and try again");
        var deps = document.Chains.Unnamed(Self, Counts).Order().Take(Limits.Deps).ToArray();
        return new(document.Id, length + 1, previous ?? default, deps, [.. auth], _seen);
    }

    private bool Counts(EnvelopeId id) => document.Find(id) is { IsUnauthorised: false } held && !IsDisputed(held.Header);

    private void RequireSomeWrite()
    {
        if (!document.Policy.Grants.Any(grant => grant.Holds && grant.Permission >= Permission.Write && grant.Actor.Contains(Self))) throw MayNotWrite("in this document");
    }

    private static TlfsException MayNotWrite(string where) => new(Reason.NotAuthorised, $"you may not write {where}; ask its owner for a grant");
}
