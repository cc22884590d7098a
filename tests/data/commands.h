/* The commands of linnet-flora. Each takes its own argc and argv (argv[0] the command's name) and returns the
 * exit status: 0 done, 1 failed with a message on stderr. */
#ifndef LINNET_FLORA_COMMANDS_H
#define LINNET_FLORA_COMMANDS_H

int linnet_flora_command_backbone(int argc, char **argv);
int linnet_flora_command_observations(int argc, char **argv);
int linnet_flora_command_part(int argc, char **argv);
int linnet_flora_command_picture(int argc, char **argv);
int linnet_flora_command_sheet(int argc, char **argv);
int linnet_flora_command_votes(int argc, char **argv);
int linnet_flora_command_checklist(int argc, char **argv);
int linnet_flora_command_hostile(int argc, char **argv);

#endif
