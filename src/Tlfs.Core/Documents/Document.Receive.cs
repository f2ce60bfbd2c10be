using Tlfs.Core.Crdt;
using Tlfs.Core.Crypto;
using Tlfs.Core.Ids;
using Tlfs.Core.Paths;
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
    private readonly List<(EnvelopeId Envelope, ushort Part, OpenedPart Content)> _recent = [];
    private readonly List<HeldEnvelope> _unassessed = [];
    private readonly List<HeldEnvelope> _filled = [];
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

    /// <summary>Envelopes held before that have got parts which were withheld, since the last call: what a replica has to store again.</summary>
    public IReadOnlyList<HeldEnvelope> TakeFilled()
    {
        HeldEnvelope[] filled = [.. _filled];
        _filled.Clear();
        return filled;
    }

    /// <summary>Takes an envelope that this device has just sealed, whose parts need not be opened again.</summary>
    internal Outcome TakeOwn(Envelope envelope, IReadOnlyList<OpenedPart> contents)
    {
        var outcome = Admit(envelope, verified: true, held =>
        {
            foreach (var part in held.Parts) part.Know(contents[part.Index]);
        });
        Settle();
        return _log.Find(envelope.Id)?.Outcome ?? outcome;
    }

    private Outcome Take(Envelope envelope, bool verified)
    {
        if (_log.Find(envelope.Id) is { } known)
        {
            // The hashes of the parts are in the header, so it does not matter who sent them.
            if (!known.Fill(envelope)) return known.Outcome;
            _filled.Add(known);
            _unassessed.Add(known);
            return known.Outcome;
        }

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
                // It may have come again meanwhile, with what it waited for.
                var outcome = _log.Find(id)?.Outcome ?? Admit(envelope, verified: true);
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
        if (header.Type == EnvelopeType.Policy && !Statement.TryDecode(envelope.Body, AccountCard.Verify, ForkProof.Verify, out statement, out var error))
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
        if (Continues(header)) return null;
        if (IsOwnFork(header)) return Outcome.Invalid(Reason.Equivocation);
        if (header.Seq == 1) return header.Author == Id.Authority ? Outcome.Invalid(Reason.Equivocation) : null;
        if (_log.Find(header.Prev) is not { } previous) return Outcome.Pending(Reason.PrevMissing);
        return previous.Header.Author == header.Author && previous.Header.Seq == header.Seq - 1 ? null : Outcome.Invalid(Reason.ChainBroken);
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
        if (Continues(held.Header)) _chains.Append(held.Envelope, HeaderOf);
        else _chains.Put(held.Header, held.Id);
        _unassessed.Add(held);

        // A cut is judged by the envelope held at its number (statements.md §4.8).
        _policyChanged |= held.Statement?.Body is Revoke or Renounce or Equivocation || _cuts.Contains((held.Header.Author, held.Header.Seq));
        if (held.Statement is not null) AddStatement(held.Statement);
        if (held.Header.Type == EnvelopeType.Snapshot) _tree.Set(DocumentKey.Of(DocumentTag.Snapshot), DocumentKey.Of(DocumentTag.Envelope, held.Number));
        foreach (var part in held.Parts) LearnSchema(held, part);
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
        foreach (var held in statements) Learn(held.Statement!, held.Outcome.Status == EnvelopeStatus.Applied);
        _schemas.Recall(CanRead);
    }

    // Steps 7 and 9 to 16, for what is new and for whatever a new statement, key or schema may have changed.
    private void Settle()
    {
        var everything = _policyChanged;
        IReadOnlyList<HeldEnvelope> news = [.. _unassessed];
        _policyChanged = false;
        _unassessed.Clear();
        if (everything) FollowSurvivors();
        if (everything) _keyring.Reset();
        foreach (var held in everything ? _log.Statements.Select(number => _log[number]) : news)
            if (held.Statement is { } statement) SetOutcome(held, AssessStatement(statement));
        if (everything) _schemas.Recall(CanRead);

        // All are read before any is judged, void ones too, so that it does not matter which of them carries a schema.
        foreach (var held in news) Read(held);
        if (everything) ReadAwaited();
        foreach (var held in everything ? _log : news) AssessParts(held);
        while (_keysLearned || _schemasLearned)
        {
            if (_keysLearned) _schemas.Recall(CanRead);
            var forSchemas = _schemasLearned ? _log.Waiting(default) : [];
            _keysLearned = _schemasLearned = false;
            foreach (var number in ReadAwaited().Concat(forSchemas)) AssessParts(_log[number]);
        }

        _keyring.ForgetFormer();
    }

    private Outcome AssessStatement(PolicyStatement statement)
    {
        var ruling = Policy.Judge(statement, _chains.At);
        Learn(statement, ruling.Counts);
        return OutcomeOf(ruling);
    }

    // Keys come from statements that count; where a zone lies does not depend on that (statements.md §6.1).
    private void Learn(PolicyStatement statement, bool counts)
    {
        if (counts || (statement.Body is ZoneCreate && Policy.Zones.Contains(statement.Id.Zone))) _keysLearned |= _keyring.Add(statement.Id, statement.Body);
    }

    private void AssessParts(HeldEnvelope held)
    {
        if (held.Statement is not null) return;
        var header = held.Header;
        if (held.Parts.Count == 0)
        {
            var ruling = Policy.JudgeParts(header.Author, header.Seq, held.Id, header.Auth, [], isSnapshot: false, _chains.At);
            SetOutcome(held, IsBeside(held) ? Forked : OutcomeOf(ruling));
            return;
        }

        foreach (var part in held.Parts) SetOutcome(held, part, OutcomeOf(held, part));
        SetOutcome(held, Summary(held));
    }

    private Outcome OutcomeOf(HeldEnvelope held, HeldPart part)
    {
        var header = held.Header;
        if (!Policy.Zones.Contains(part.Zone)) return Outcome.Void(Reason.OutsideZone);
        if (IsBeside(held)) return Forked;
        var ruling = Policy.Judge(header.Author, header.Seq, held.Id, header.Auth, Permission.Write, part.Zone, _chains.At);
        var narrowed = ruling.Counts || header.Type == EnvelopeType.Snapshot ? [] : Policy.PathGrants(header.Author, header.Seq, held.Id, header.Auth, part.Zone, _chains.At);
        if (!ruling.Counts && narrowed.Count == 0) return OutcomeOf(ruling);
        if (KeyOf(part, out var missing) is null) return Outcome.KeyMissing(missing);
        if (!part.IsRead) return Outcome.KeyMissing(Reason.KeyMissing);
        if (_keyring.Place(part.Zone) is not { } place) return Outcome.KeyMissing(Reason.KeyDispute);
        if (place.IsMisplaced) return Outcome.Void(Reason.OutsideZone);
        if (part.Defect is { } defect) return Outcome.Void(defect);

        // What is in effect was found to fit, and neither its schema nor its zone can change.
        if (ruling.Counts && part.Outcome.Status == EnvelopeStatus.Applied) return Outcome.Applied;
        if (_schemas.Find(part.Schema) is not { } schema) return Outcome.Void(Reason.SchemaUnknown);
        var content = ContentOf(held, part);
        if (content.Forwards.Any(forward => _schemas.Find(forward.Schema) is null)) return Outcome.Void(Reason.SchemaUnknown);
        foreach (var operation in content.Operations)
            if (!OperationCheck.Fits(schema.List.View, operation, out var error)) return Outcome.Void(Reason.SchemaMismatch, error.Detail);
        return OutcomeOfPaths(content, place.Path, ruling.Counts ? null : narrowed);
    }

    // Step 15.
    private Outcome OutcomeOfPaths(OpenedPart content, StoragePath place, IReadOnlyList<GrantId>? narrowed)
    {
        if (!content.Operations.All(operation => PathOf(operation) is not { } path || place.Contains(path))) return Outcome.Void(Reason.OutsideZone);
        if (narrowed is null) return Outcome.Applied;
        StoragePath[] open = [.. content.Openings.Where(opening => narrowed.Contains(opening.Grant) && IsRight(opening)).Select(opening => opening.Path)];
        return content.Operations.All(operation => PathOf(operation) is not { } path || open.Any(each => each.Contains(path)))
            ? Outcome.Applied
            : Outcome.Void(Reason.OutsidePath);
    }

    private bool IsRight(Opening opening) =>
        Policy.Grant(opening.Grant)?.Sub is { } sub && new PathOpening(opening.Salt, opening.Path).SubCommit(Id) == sub.Commit;

    internal static StoragePath? PathOf(Operation operation) => operation switch
    {
        Put put => put.Path,
        Remove remove => remove.Path,
        Place place => place.Path,
        _ => null,
    };

    // What is void is told first. A part that may not be read here is nothing to wait for.
    private Outcome Summary(HeldEnvelope held)
    {
        Outcome? missing = null, applied = null;
        foreach (var part in held.Parts)
        {
            switch (part.Outcome.Status)
            {
                case EnvelopeStatus.Void: return part.Outcome;
                case EnvelopeStatus.Applied: applied = part.Outcome; break;
                default:
                    if (missing is null || Policy.MayRead(Own.Device.Public, part.Zone)) missing = part.Outcome;
                    break;
            }
        }

        return missing is { } waits && (applied is null || held.Parts.Any(part => part.Outcome == waits && Policy.MayRead(Own.Device.Public, part.Zone)))
            ? waits
            : applied!.Value;
    }

    internal SecretKey? KeyOf(HeldPart part, out Reason reason) => _keyring.ContentKey(part.Zone, part.Header.Epoch, out reason);

    private bool CanRead(int number, ushort part) => KeyOf(_log[number].Parts[part], out _) is not null;

    // Steps 9 to 13. A part that was read once waits again if its epoch's key came from statements that count no longer. A schema that an opened part carries is known from then on, whoever carried it: its name is its hash.
    private void Read(HeldEnvelope held)
    {
        var read = false;
        foreach (var part in held.Parts)
        {
            if (part.IsRead || !held.Envelope.Has(part.Index) || KeyOf(part, out _) is not { } key) continue;
            part.Read(held.Envelope, key);
            LearnSchema(held, part);
            read = true;
        }

        // Of many, the first have left the memory before the last is read.
        if (read) _log.Save(held);
    }

    private List<int> ReadAwaited()
    {
        List<int> numbers = [.. _log.Awaited.Where(epoch => _keyring.Holds(epoch)).SelectMany(_log.Waiting)];
        foreach (var number in numbers) Read(_log[number]);
        return numbers;
    }

    private void LearnSchema(HeldEnvelope held, HeldPart part)
    {
        if (part.Content?.Operations is [SchemaOperation carried, ..] && _schemas.Learn(carried, held.Number, part.Index)) _schemasLearned = true;
    }

    internal OpenedPart ContentOf(HeldEnvelope held, HeldPart part)
    {
        if (part.Content is { } known) return known;
        if (_recent.Find(each => each.Envelope == held.Id && each.Part == part.Index).Content is { } recent) return recent;
        var key = KeyOf(part, out _) ?? _keyring.FormerKey(part.Header.Epoch) ?? throw new InvalidOperationException("the key of an opened part is gone");
        if (!OpenedPart.TryOpen(held.Envelope, part.Index, key, out var content, out _)) throw new InvalidOperationException("an opened part does not open");
        if (_recent.Count == MaxRecent) _recent.RemoveAt(0);
        _recent.Add((held.Id, part.Index, content));
        return content;
    }

    private void SetOutcome(HeldEnvelope held, Outcome outcome)
    {
        held.Outcome = outcome;
        _log.Save(held);
    }

    private void SetOutcome(HeldEnvelope held, HeldPart part, Outcome outcome)
    {
        var was = part.Outcome.Status == EnvelopeStatus.Applied;
        var now = outcome.Status == EnvelopeStatus.Applied;
        part.Outcome = outcome;
        if (!part.IsOpen || was == now)
        {
            if (!now) SettleForwarded(held, part);
            return;
        }

        _schemas.Count(part, now ? 1 : -1);
        if (now) Apply(held, part, ContentOf(held, part).Operations);
        else _state.Unapply(held.Id, part.Index);
        if (part.Forwards) SettleForwards(held, part, now);
        part.TakeContent();
    }
}
