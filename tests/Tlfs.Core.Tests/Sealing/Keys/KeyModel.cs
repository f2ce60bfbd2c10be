using Tlfs.Core.Ids;
using Tlfs.Core.Policy;

namespace Tlfs.Core.Tests.Sealing.Keys;

/// <summary>
/// The key graph as symbols: what somebody can derive from every statement there is. Written from docs/protocol/statements.md §5.2, §5.3 alone, for statements that
/// hold what they should.
/// </summary>
internal static class KeyModel
{
    /// <summary>The epochs whose content key these accounts, putting together all they have, derive.</summary>
    public static HashSet<EnvelopeId> Derivable(IEnumerable<(EnvelopeId Id, Statement Body)> statements, IReadOnlyCollection<Bytes32> accounts)
    {
        HashSet<EnvelopeId> content = [], history = [];
        var all = statements.Select(statement => (Epoch: statement.Body is Wrap wrap ? wrap.Epoch : statement.Id, statement.Body)).ToArray();
        for (var before = -1; before != content.Count + history.Count;)
        {
            before = content.Count + history.Count;
            foreach (var (epoch, body) in all)
            {
                var (wraps, parents, histories) = body switch
                {
                    Rotate rotate => (rotate.Wraps, rotate.ParentWraps, rotate.HistWraps),
                    Wrap wrap => (wrap.Wraps, wrap.ParentWraps, wrap.HistWraps),
                    _ => ([], [], []),
                };
                foreach (var wrap in wraps.Where(wrap => accounts.Contains(wrap.Recipient)))
                {
                    content.Add(epoch);
                    if (wrap.Ciphertext.Length == 80) history.Add(epoch);
                }

                foreach (var parent in parents)
                {
                    if (content.Contains(parent.ParentEpoch)) content.Add(epoch);
                    if (history.Contains(parent.ParentEpoch)) history.Add(epoch);
                }

                foreach (var earlier in histories.Where(_ => history.Contains(epoch)))
                {
                    content.Add(earlier.Epoch);
                    history.Add(earlier.Epoch);
                }
            }
        }

        return content;
    }
}
