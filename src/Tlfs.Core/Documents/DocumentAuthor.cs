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
public sealed class DocumentAuthor(Document document, IEntropy entropy, LogHead? seen = null)
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
        Rotate();
        Seal([], schema);
    }

    /// <summary>One transaction: all edits become one delta. Throws a <see cref="TlfsException"/> and changes nothing if an edit is refused.</summary>
    /// <returns>The delta's id and its number of operations.</returns>
    public (EnvelopeId Envelope, int Operations) Edit(Action<Transaction> edit)
    {
        var schema = document.Schema;
        RequirePermission(Permission.Write);
        IReadOnlyList<Operation> operations;
        using (var transaction = new Transaction(document.State, schema.List.View, entropy))
        {
            edit(transaction);
            operations = transaction.Build();
        }

        return (Seal(operations, schema), operations.Count);
    }

    /// <summary>Writes operations that were made before, for example those of an envelope that was withdrawn, as one delta.</summary>
    public EnvelopeId Write(IReadOnlyList<Operation> operations)
    {
        RequirePermission(Permission.Write);
        return Seal(operations, document.Schema);
    }

    /// <summary>
    /// Grants a permission on the whole document; readers get the keys in the same bundle. If the actor holds the permission already, its grant is
    /// returned and nothing is made.
    /// </summary>
    public GrantId Grant(Actor actor, Permission permission)
    {
        if (permission > Permission.Sync && actor is not AccountActor)
            throw new TlfsException(Reason.GrantRefused, "only sync can be granted to a peer or to anyone; grant more to a person's account: acct_…");
        var standing = document.Policy.Grants.FirstOrDefault(grant => grant.Holds && grant.Permission == permission && grant.Actor.Equals(actor));
        if (standing is not null) return standing.Id;
        var id = State(OwnGrants().Select(parent => new Grant(actor, permission, ZoneId.Root, parent.Id)), Reason.GrantRefused);
        if (permission >= Permission.Read) WrapMissing();
        return id.Grant;
    }

    /// <summary>
    /// Ends a grant. What its holder wrote up to what is held here keeps counting. If a reader loses access, new keys follow in the same bundle.
    /// </summary>
    public EnvelopeId Revoke(GrantId target)
    {
        var grant = document.Policy.Grant(target) ?? throw new TlfsException(Reason.GrantNotFound, "no grant with that id in this document; list them with: grants DOC");
        if (grant.Revoked) throw new TlfsException(Reason.NothingToDo, "the grant was revoked before");
        var cuts = CutsFor(grant.Actor);
        var id = State(OwnGrants().Select(proof => new Revoke(target, proof.Id, cuts)), Reason.NotAuthorised);
        if (grant.Permission >= Permission.Read && document.Policy.May(Self, Permission.Write) && ChooseEpoch() is null) Rotate();
        return id;
    }

    /// <summary>Gives up a grant of one's own.</summary>
    public EnvelopeId Renounce(GrantId target) => State([new Renounce(target)], Reason.NotAuthorised);

    /// <summary>Seals the newest keys, and those of epochs to which they do not lead, to readers who lack them (statements.md §5.7). Makes nothing if there is nobody, or no right to.</summary>
    public void WrapMissing()
    {
        if (document.IsLocked || !document.Policy.May(Self, Permission.Write)) return;
        var readers = Readers();
        if (ChooseEpoch() is not { } epoch)
        {
            Rotate();
            return;
        }

        if (document.Keyring.NeedsWrap(epoch, readers)) Sign(document.Keyring.WrapFor(entropy, epoch, readers));
    }

    private void Rotate() => Sign(document.Keyring.NewEpoch(entropy, ZoneId.Root, Readers()));

    private EnvelopeId Seal(IReadOnlyList<Operation> operations, TlfsVersion schema)
    {
        if (!document.Carries(schema.List.Hash)) operations = [new SchemaOperation(schema.Version, schema.List), .. operations];
        if (operations.Count > Limits.Operations)
            throw new TlfsException(Reason.TooLarge, $"one transaction makes at most {Limits.Operations} operations; split it");
        var epoch = UsableEpoch();
        var key = document.Keyring.ContentKey(ZoneId.Root, epoch, out _)!;
        var content = new PartContent(schema.List.Hash, Operation.EncodeAll(operations));
        var envelope = NextDraft(OwnWrite()).SealDelta(document.Own.Device, entropy, epoch, key, content);
        return Take(envelope, document.TakeOwn(envelope, schema.List.Hash, operations));
    }

    // statements.md §5.5: never under an epoch one of whose recipients may not read now.
    private EnvelopeId UsableEpoch()
    {
        if (document.IsLocked) throw new TlfsException(Reason.KeyMissing, "no key yet: somebody who can read the document must be online once");
        if (ChooseEpoch() is { } clean) return clean;
        Rotate();
        return ChooseEpoch() ?? throw new InvalidOperationException("a new epoch is not usable by its own author");
    }

    private EnvelopeId? ChooseEpoch() =>
        document.Keyring.Choose(ZoneId.Root, document.Policy.Readers().OfType<AccountActor>().Select(reader => reader.Account.Value).ToHashSet());

    private List<ZoneReader> Readers()
    {
        var readers = new List<ZoneReader>();
        foreach (var actor in document.Policy.Readers().OfType<AccountActor>())
            if (AccountCard.TryDecode(actor.Card, out var card, out _)) readers.Add(new(card));
        return readers;
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

    private void Sign(Statement statement) => Take(Signed(statement));

    private Envelope Signed(Statement statement) => NextDraft(ReliesOn(statement)).SignStatement(document.Own.Device, statement.Encode());

    // What has to be in the past of a statement so that it can count (statements.md §4, §5).
    private IEnumerable<EnvelopeId> ReliesOn(Statement statement) => statement switch
    {
        Grant { Parent: { } parent } => [parent.Envelope],
        Revoke { Proof: { } proof } revoke => [proof.Envelope, revoke.Target.Envelope],
        Renounce renounce => [renounce.Target.Envelope],
        Rotate rotate => [.. OwnWrite(), .. rotate.PreviousEpochs],
        Wrap wrap => [.. OwnWrite(), wrap.Epoch, .. wrap.HistWraps.Select(history => history.Epoch)],
        _ => [],
    };

    private IEnumerable<EnvelopeId> OwnWrite() => document.Policy.Standing(Self, Permission.Write) is { } grant ? [grant.Envelope] : [];

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

    private bool Counts(EnvelopeId id) => document.Find(id)!.Outcome is not { Status: EnvelopeStatus.Void, Reason: Reason.NotAuthorised };

    private void RequirePermission(Permission permission)
    {
        if (!document.Policy.May(Self, permission))
            throw new TlfsException(Reason.NotAuthorised, $"you may not {permission.ToText()} in this document; ask its owner for a grant");
    }
}
