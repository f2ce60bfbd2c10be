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

    private readonly Dictionary<EnvelopeId, Envelope> _pending = [];
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
        return [.. received.Select(each => _held.TryGetValue(each.Id, out var held) ? held.Outcome : each.Outcome)];
    }

    /// <summary>Envelopes that entered the document since the last call, in order: what a replica has to store.</summary>
    public IReadOnlyList<HeldEnvelope> HeldSince(int count) => _log[count..];

    private Outcome Take(Envelope envelope, bool verified)
    {
        if (_held.TryGetValue(envelope.Id, out var known)) return known.Outcome;
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
    private Outcome Admit(Envelope envelope, bool verified)
    {
        var header = envelope.Header;
        if (header.Document != Id) return Outcome.Invalid(Reason.WrongDocument);
        if (!_policy.IsNamed(header.Author)) return Outcome.Pending(Reason.AuthorUnknown);
        if (CheckChain(header) is { } broken) return broken;
        if (!verified && !envelope.VerifySignature()) return Outcome.Invalid(Reason.BadSignature);
        if (!header.Deps.All(_held.ContainsKey) || !header.Auth.All(_held.ContainsKey)) return Outcome.Pending(Reason.DepsMissing);
        if (!header.Auth.All(_policy.Contains) || !CoversPrevious(header)) return Outcome.Invalid(Reason.ChainBroken);
        Statement? statement = null;
        if (header.Type == EnvelopeType.Policy && !Statement.TryDecode(envelope.Body, AccountCard.Verify, out statement, out var error))
            return Outcome.Invalid(error.Reason);
        Hold(new(envelope, statement));
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
        if (!_held.TryGetValue(header.Prev, out var previous)) return true;
        return _policy.Covers(header.Auth, previous.Header.Auth)
            && (previous.Statement is null || _policy.Covers(header.Auth, previous.Id));
    }

    private void Hold(HeldEnvelope held)
    {
        _held.Add(held.Id, held);
        _log.Add(held);
        _chains.Append(held.Envelope, id => _held[id].Header);
        _unassessed.Add(held);

        // A cut is judged by the envelope held at its number (statements.md §4.8).
        _policyChanged |= held.Statement?.Body is Revoke or Renounce || _cuts.Contains((held.Header.Author, held.Header.Seq));
        if (held.Statement?.Body is Revoke revoke) _cuts.UnionWith(revoke.Cuts.Select(cut => (cut.Author, cut.Seq)));
        if (held.Statement is not null) _policy.Add(held.Statement);
    }

    // Steps 7 and 9 to 16, for what is new and for whatever a new statement, key or schema may have changed.
    private void Settle()
    {
        IReadOnlyList<HeldEnvelope> open = [.. _unassessed];
        if (_policyChanged)
        {
            _keyring.Reset();
            _schemas.Forget();
            open = [.. _log];
        }

        _policyChanged = false;
        _unassessed.Clear();
        foreach (var held in open)
            if (held.Statement is { } statement) SetOutcome(held, AssessStatement(statement));
        AssessDeltas([.. open.Where(held => held.Statement is null)]);
        while (_keysLearned || _schemasLearned)
        {
            _keysLearned = _schemasLearned = false;
            AssessDeltas([.. _log.Where(held => held.Statement is null
                && (!held.IsRead || held.Outcome is { Status: EnvelopeStatus.KeyMissing } or { Reason: Reason.SchemaUnknown }))]);
        }
    }

    // All are read before any is judged, void ones too, so that it does not matter which of them carries a schema.
    private void AssessDeltas(IReadOnlyList<HeldEnvelope> deltas)
    {
        foreach (var held in deltas) Read(held);
        foreach (var held in deltas) SetOutcome(held, AssessDelta(held));
    }

    private Outcome AssessStatement(PolicyStatement statement)
    {
        var ruling = Policy.Judge(statement, _chains.At);
        if (!ruling.Counts) return Outcome.Void(Reason.NotAuthorised, ruling.Why);
        _keysLearned |= _keyring.Add(statement.Id, statement.Body);
        return Outcome.Applied;
    }

    private Outcome AssessDelta(HeldEnvelope held)
    {
        var header = held.Header;
        var keyReason = Read(held);
        var ruling = Policy.Judge(header.Author, header.Seq, held.Id, header.Auth, Permission.Write, _chains.At);
        if (!ruling.Counts) return Outcome.Void(Reason.NotAuthorised, ruling.Why);
        if (header.Parts.Count == 0) return Outcome.Applied;
        if (header.Parts.Count > 1 || header.Parts[0].Zone != ZoneId.Root) return Outcome.Void(Reason.OutsideZone);
        if (keyReason is { } missing) return Outcome.KeyMissing(missing);
        if (held.Defect is { } defect) return Outcome.Void(defect);
        if (_schemas.Find(held.Schema) is not { } schema) return Outcome.Void(Reason.SchemaUnknown);
        foreach (var operation in held.Operations!)
            if (!OperationCheck.Fits(schema.List.View, operation, out var error)) return Outcome.Void(Reason.SchemaMismatch, error.Detail);
        return Outcome.Applied;
    }

    // Steps 9 to 13. A part that was read once waits again if its epoch's key came from statements that count no longer. A schema that an opened part carries is known from then on, whoever carried it: its name is its hash.
    private Reason? Read(HeldEnvelope held)
    {
        if (held.Header.Parts.Count == 0) return null;
        if (_keyring.ContentKey(held.Header.Parts[0].Epoch, out var reason) is not { } key) return reason;
        if (!held.IsRead) held.Read(key);
        if (held.Carried is { } carried && _schemas.Learn(carried)) _schemasLearned = true;
        return null;
    }

    private void SetOutcome(HeldEnvelope held, Outcome outcome)
    {
        var was = held.Outcome.Status == EnvelopeStatus.Applied;
        var now = outcome.Status == EnvelopeStatus.Applied;
        held.Outcome = outcome;
        if (held.Operations is null || was == now) return;
        _schemas.Count(held, now ? 1 : -1);
        if (now) _state.Apply(held.Id, 0, held.Operations);
        else _state.Unapply(held.Id, 0);
    }
}
