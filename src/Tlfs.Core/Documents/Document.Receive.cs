using Tlfs.Core.Crdt;
using Tlfs.Core.Ids;
using Tlfs.Core.Policy;
using Tlfs.Core.Sealing;

namespace Tlfs.Core.Documents;

// The receiver's pipeline, docs/protocol/envelope.md §3. Steps 1, 2 and 8 are Envelope.TryDecode.
public sealed partial class Document
{
    // Envelopes that wait for others. A server sends causes before effects, so more than this is abuse.
    private const int MaxPending = 4_096;

    // Parts that were opened again, because what they put or placed was moved or taken back. More of it tends to follow.
    private const int MaxRecent = 16;

    private readonly Dictionary<EnvelopeId, Envelope> _pending = [];
    private readonly List<(EnvelopeId Envelope, IReadOnlyList<Operation> Operations)> _recent = [];
    private readonly List<HeldEnvelope> _unassessed = [];
    private readonly HashSet<(PeerId Author, ulong Seq)> _cuts = [];
    private bool _policyChanged;
    private bool _keysLearned;
    private bool _schemasLearned;

    /// <summary>Envelopes that wait for others. They are not stored; whoever sends causes before effects causes none.</summary>
    public int PendingCount => _pending.Count;

    /// <summary>Receives one envelope; see <see cref="Receive(IEnumerable{Envelope}, bool)"/>.</summary>
    public Outcome Receive(Envelope envelope, bool verified = false) => Receive([envelope], verified)[0];

    /// <summary>
    /// Receives envelopes in any order, duplicates included, and brings the document up to date. Returns what became of each; what became of
    /// envelopes that were held or waiting before may change too.
    /// </summary>
    /// <param name="envelopes">Decoded envelopes.</param>
    /// <param name="verified">
    /// True only for envelopes that this replica has made, or has verified before and kept in its own store. They alone are held then: what waits for
    /// them is not stored yet, and waits for the next envelopes from elsewhere.
    /// </param>
    public IReadOnlyList<Outcome> Receive(IEnumerable<Envelope> envelopes, bool verified = false)
    {
        var received = new List<(EnvelopeId Id, Outcome Outcome)>();
        foreach (var envelope in envelopes) received.Add((envelope.Id, Take(envelope, verified)));
        if (!verified) TakePending();
        Settle();
        return [.. received.Select(each => _log.Find(each.Id)?.Outcome ?? each.Outcome)];
    }

    /// <summary>Envelopes that entered the document since the last call, in order: what a replica has to store.</summary>
    public IReadOnlyList<HeldEnvelope> HeldSince(int count) => [.. Enumerable.Range(count, _log.Count - count).Select(number => _log[number])];

    /// <summary>Takes a delta that this device has just sealed, whose operations need not be opened again.</summary>
    internal Outcome TakeOwn(Envelope envelope, SchemaHash schema, IReadOnlyList<Operation> operations)
    {
        var outcome = Admit(envelope, verified: true, held => held.Know(schema, operations));
        Settle();
        return _log.Find(envelope.Id)?.Outcome ?? outcome;
    }

    private Outcome Take(Envelope envelope, bool verified)
    {
        if (_log.Find(envelope.Id) is { } known) return known.Outcome;
        var outcome = Admit(envelope, verified);
        if (outcome.Status != EnvelopeStatus.Pending || verified) return outcome;

        // Only what its author signed may wait: the id does not cover the signature, and a forgery must not take the true envelope's place.
        if (!envelope.VerifySignature()) return Outcome.Invalid(Reason.BadSignature);
        if (_pending.Count == MaxPending) TakePending();
        if (_pending.Count < MaxPending) _pending.TryAdd(envelope.Id, envelope);
        return outcome;
    }

    private void TakePending()
    {
        bool progress;
        do
        {
            progress = false;
            foreach (var (id, envelope) in _pending.ToArray())
            {
                var outcome = Admit(envelope, verified: true);
                if (outcome.Status == EnvelopeStatus.Pending) continue;
                _pending.Remove(id);
                progress |= outcome.IsHeld;
            }
        }
        while (progress && _pending.Count > 0);
    }

    // Steps 3 to 6. What passes is held; whether it counts is decided by Settle.
    private Outcome Admit(Envelope envelope, bool verified, Action<HeldEnvelope>? prepare = null)
    {
        var header = envelope.Header;
        if (header.Document != Id) return Outcome.Invalid(Reason.WrongDocument);
        if (!_policy.IsNamed(header.Author)) return Outcome.Pending(Reason.AuthorUnknown);
        if (CheckChain(header) is { } broken) return broken;
        if (!verified && !envelope.VerifySignature()) return Outcome.Invalid(Reason.BadSignature);
        if (!header.Deps.All(_log.Contains) || !header.Auth.All(_log.Contains)) return Outcome.Pending(Reason.DepsMissing);
        if (!header.Auth.All(_policy.Contains) || !CoversPrevious(header)) return Outcome.Invalid(Reason.ChainBroken);
        Statement? statement = null;
        if (header.Type == EnvelopeType.Policy && !Statement.TryDecode(envelope.Body, AccountCard.Verify, out statement, out var error))
            return Outcome.Invalid(error.Reason);
        if (header.Type == EnvelopeType.Snapshot && !SnapshotBody.TryDecode(envelope.Body, out _, out var defect)) return Outcome.Invalid(defect.Reason);
        var held = new HeldEnvelope(envelope, statement);
        prepare?.Invoke(held);
        Hold(held);
        return Outcome.Applied;
    }

    // Step 4.
    private Outcome? CheckChain(EnvelopeHeader header)
    {
        var length = _chains.Length(header.Author);
        if (header.Seq <= length) return Outcome.Invalid(Reason.Equivocation);
        if (header.Seq > length + 1) return Outcome.Pending(Reason.PrevMissing);
        return header.Prev == (_chains.At(header.Author, length) ?? default) ? null : Outcome.Invalid(Reason.ChainBroken);
    }

    // §3.3: what the author had evaluated once, it has evaluated for ever.
    private bool CoversPrevious(EnvelopeHeader header)
    {
        if (_log.Find(header.Prev) is not { } previous) return true;
        return _policy.Covers(header.Auth, previous.Header.Auth)
            && (previous.Statement is null || _policy.Covers(header.Auth, previous.Id));
    }

    private void Hold(HeldEnvelope held)
    {
        _log.Add(held);
        _chains.Append(held.Envelope, id => _log.Find(id)!.Header);
        _unassessed.Add(held);

        // A cut is judged by the envelope held at its number (statements.md §4.8).
        _policyChanged |= held.Statement?.Body is Revoke or Renounce || _cuts.Contains((held.Header.Author, held.Header.Seq));
        if (held.Statement is not null) AddStatement(held.Statement);
        LearnSchema(held);
    }

    private void AddStatement(PolicyStatement statement)
    {
        if (statement.Body is Revoke revoke) _cuts.UnionWith(revoke.Cuts.Select(cut => (cut.Author, cut.Seq)));
        _policy.Add(statement);
    }

    // What follows from the statements is not stored but made again when a document opens.
    private void Recall()
    {
        var statements = _log.Statements.Select(number => _log[number]).ToArray();
        foreach (var held in statements) AddStatement(held.Statement!);
        foreach (var held in statements)
            if (held.Outcome.Status == EnvelopeStatus.Applied) _keyring.Add(held.Id, held.Statement!.Body);
        _schemas.Recall(CanRead);
    }

    // Steps 7 and 9 to 16, for what is new and for whatever a new statement, key or schema may have changed.
    private void Settle()
    {
        var everything = _policyChanged;
        IReadOnlyList<HeldEnvelope> news = [.. _unassessed];
        _policyChanged = false;
        _unassessed.Clear();
        if (everything) _keyring.Reset();
        foreach (var held in everything ? _log.Statements.Select(number => _log[number]) : news)
            if (held.Statement is { } statement) SetOutcome(held, AssessStatement(statement));
        if (everything) _schemas.Recall(CanRead);

        // All are read before any is judged, void ones too, so that it does not matter which of them carries a schema.
        foreach (var held in news) Read(held);
        if (everything) ReadWaiting();
        foreach (var held in everything ? _log : news) AssessDelta(held);
        while (_keysLearned || _schemasLearned)
        {
            if (_keysLearned) _schemas.Recall(CanRead);
            _keysLearned = _schemasLearned = false;
            foreach (var number in ReadWaiting()) AssessDelta(_log[number]);
        }

        _keyring.ForgetFormer();
    }

    private Outcome AssessStatement(PolicyStatement statement)
    {
        var ruling = Policy.Judge(statement, _chains.At);
        if (!ruling.Counts) return Outcome.Void(Reason.NotAuthorised, ruling.Why);
        _keysLearned |= _keyring.Add(statement.Id, statement.Body);
        return Outcome.Applied;
    }

    private void AssessDelta(HeldEnvelope held)
    {
        if (held.Statement is null) SetOutcome(held, OutcomeOf(held));
    }

    private Outcome OutcomeOf(HeldEnvelope held)
    {
        var header = held.Header;
        var ruling = Policy.Judge(header.Author, header.Seq, held.Id, header.Auth, Permission.Write, _chains.At);
        if (!ruling.Counts) return Outcome.Void(Reason.NotAuthorised, ruling.Why);
        if (header.Parts.Count == 0) return Outcome.Applied;
        if (header.Parts.Count > 1 || header.Parts[0].Zone != ZoneId.Root) return Outcome.Void(Reason.OutsideZone);
        if (KeyOf(held, out var missing) is null) return Outcome.KeyMissing(missing);
        if (held.Defect is { } defect) return Outcome.Void(defect);

        if (_schemas.Find(held.Schema) is not { } schema) return Outcome.Void(Reason.SchemaUnknown);

        // What is in effect was found to fit its schema, and neither can change.
        if (held.Outcome.Status == EnvelopeStatus.Applied) return Outcome.Applied;
        foreach (var operation in OperationsOf(held))
            if (!OperationCheck.Fits(schema.List.View, operation, out var error)) return Outcome.Void(Reason.SchemaMismatch, error.Detail);
        return Outcome.Applied;
    }

    private Crypto.SecretKey? KeyOf(HeldEnvelope held, out Reason reason) => _keyring.ContentKey(held.Header.Parts[0].Zone, held.Header.Parts[0].Epoch, out reason);

    private bool CanRead(int number) => KeyOf(_log[number], out _) is not null;

    // Steps 9 to 13. A part that was read once waits again if its epoch's key came from statements that count no longer. A schema that an opened part carries is known from then on, whoever carried it: its name is its hash.
    private void Read(HeldEnvelope held)
    {
        if (held.Header.Parts.Count == 0 || held.IsRead || KeyOf(held, out _) is not { } key) return;
        held.Read(key);
        LearnSchema(held);
    }

    private IReadOnlyList<int> ReadWaiting()
    {
        var waiting = _log.Waiting;
        foreach (var number in waiting) Read(_log[number]);
        return waiting;
    }

    private void LearnSchema(HeldEnvelope held)
    {
        if (held.Operations is [SchemaOperation carried, ..] && _schemas.Learn(carried, held.Number)) _schemasLearned = true;
    }

    private IReadOnlyList<Operation> OperationsOf(HeldEnvelope held)
    {
        if (held.Operations is { } known) return known;
        if (_recent.Find(each => each.Envelope == held.Id).Operations is { } recent) return recent;
        var key = KeyOf(held, out _) ?? _keyring.FormerKey(held.Header.Parts[0].Epoch) ?? throw new InvalidOperationException("the key of an opened part is gone");
        held.Read(key);
        if (_recent.Count == MaxRecent) _recent.RemoveAt(0);
        _recent.Add((held.Id, held.Operations!));
        return held.TakeOperations()!;
    }

    private void SetOutcome(HeldEnvelope held, Outcome outcome)
    {
        var was = held.Outcome.Status == EnvelopeStatus.Applied;
        var now = outcome.Status == EnvelopeStatus.Applied;
        held.Outcome = outcome;
        _log.Save(held, Waits(held));
        if (!held.IsOpen || was == now) return;
        _schemas.Count(held, now ? 1 : -1);
        if (now) _state.Apply(held.Id, 0, OperationsOf(held));
        else _state.Unapply(held.Id, 0);
        held.TakeOperations();
    }

    private static bool Waits(HeldEnvelope held) => held.Header.Parts.Count > 0
        && (!held.IsRead || held.Outcome is { Status: EnvelopeStatus.KeyMissing } or { Reason: Reason.SchemaUnknown });
}
