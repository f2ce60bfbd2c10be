namespace Tlfs.Core.Schema;

/// <summary>Finds what somebody who mistyped a name may have meant.</summary>
internal static class Suggestions
{
    /// <summary>"did you mean 'x'?" for the candidate within a third of the name's length in edits, the first in order of distance; else null.</summary>
    public static string? DidYouMean(string name, IEnumerable<string> candidates)
    {
        if (name.Length is 0 or > Limits.NameBytes) return null;
        var nearest = candidates.Select(candidate => (candidate, distance: Distance(name, candidate)))
            .Where(pair => pair.distance <= 1 + (name.Length / 3) && pair.distance < Math.Max(name.Length, pair.candidate.Length))
            .OrderBy(pair => pair.distance).Select(pair => pair.candidate).FirstOrDefault();
        return nearest is null ? null : $"did you mean '{nearest}'?";
    }

    /// <summary>The number of inserted, deleted and replaced letters (Levenshtein); case does not matter.</summary>
    private static int Distance(string left, string right)
    {
        var row = Enumerable.Range(0, right.Length + 1).ToArray();
        for (var i = 1; i <= left.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= right.Length; j++)
            {
                var replaced = diagonal + (char.ToLowerInvariant(left[i - 1]) == char.ToLowerInvariant(right[j - 1]) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(replaced, 1 + Math.Min(row[j], row[j - 1]));
            }
        }

        return row[^1];
    }
}
