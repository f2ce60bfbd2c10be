using Tlfs.Client.Sync;
using Tlfs.Core.Documents;

namespace Tlfs.Client;

// What does not count, and what this device takes back.
public sealed partial class LocalDocument
{
    /// <summary>
    /// What was edited and does not count: the void deltas held here, whoever wrote them, then what this device withdrew and has not written again. What the
    /// keys of this account do not open is without operations.
    /// </summary>
    public IReadOnlyList<VoidedEdit> ExportVoided() => Read(document =>
        (IReadOnlyList<VoidedEdit>)[.. document.Voided(), .. _home.Replica.Withdrawn(Id).Where(edit => document.Find(edit.Envelope) is null).Select(edit => document.Voided(edit))]);

    /// <summary>
    /// Takes back the first change of this device that can count nowhere, and all its successors in this device's chain: after every server of the document
    /// has refused it for what it is, or after the replica was restored and had written other changes before. A full quota is no such refusal. What the
    /// deltas were to do is kept, see <see cref="ExportVoided"/>; grants, revocations and keys among them are not.
    /// <c>nothing-to-do</c> if there is no such change, or if somebody holds one of them.
    /// </summary>
    public Task<Withdrawal> WithdrawAsync(CancellationToken cancellationToken = default) => ChangeAsync(() => Withdrawing.Run(_home, Id), cancellationToken);

    /// <summary>
    /// Writes what was withdrawn again, all of it or nothing, on top of what is here now. <c>nothing-to-do</c> if nothing was withdrawn, <c>prev-missing</c> if
    /// what this device wrote before it was restored has to be synchronised first, <c>not-authorised</c>, <c>schema-mismatch</c>.
    /// </summary>
    /// <returns>How many deltas were written.</returns>
    public Task<int> ReapplyAsync(CancellationToken cancellationToken = default) => ChangeAsync(() => _home.Reapply(Id), cancellationToken);

    private async Task<T> ChangeAsync<T>(Func<T> change, CancellationToken cancellationToken)
    {
        var result = await _home.DoAsync(change, cancellationToken);
        _home.NotifyEdited();
        return result;
    }
}
