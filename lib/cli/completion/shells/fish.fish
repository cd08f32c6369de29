# In ~/.config/fish/config.fish:  tasks --completion fish | source
#
# Words of the line are only ever compared, and handed on as arguments; nothing of them is evaluated.

function __taskwright_fish
  set -l typed (commandline -ct)
  set -l plain (string unescape -- $typed; or printf '%s' $typed)
  set -l words (commandline -opc)
  for row in (command $argv[1] __complete $words[2..] "$plain" 2>/dev/null)
    if string match -q ':files*' -- $row
      set -l before (string sub -s 7 -- $row)
      for path in (__fish_complete_path (string replace -- "$before" '' "$typed"))
        printf '%s%s\n' "$before" $path
      end
    else
      printf '%s\n' $row
    end
  end
end

for program in tasks taskwright
  complete -c $program -f -k -a "(__taskwright_fish $program)"
end
